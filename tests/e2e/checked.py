"""A server with contacts for all cases of a class, its answers held against schemas/openapi.yaml, and a clean end."""
import sys
import unittest

from contacts import prepare
from siegel_process import Siegel


class Checked(unittest.TestCase):
    binary = None
    environment = {}  # settings of the server

    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(cls.binary, environment=cls.environment)
        cls.s.__enter__()
        prepare(cls.s)

    @classmethod
    def tearDownClass(cls):
        code = cls.s.stop()
        cls.s.__exit__(None, None, None)
        assert code == 0, f"the server ended with {code}"


def main():
    Checked.binary = sys.argv.pop(1)
    unittest.main(verbosity=2)
