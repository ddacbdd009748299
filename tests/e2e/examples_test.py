"""The workbooks of docs/examples are taken in as their pages say. usage: examples_test.py SIEGEL_BINARY"""
import decimal
import json
import os
import pathlib
import subprocess
import sys
import unittest

HERE = pathlib.Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent.parent / "support"))
from siegel_process import Siegel  # noqa: E402

BINARY = None
EXAMPLES = HERE.parents[2] / "docs" / "examples"
SETS = {"contacts": ("customer", "customer-care"), "applicants": ("applicant", "recruiting"), "suppliers": ("supplier", "purchasing")}


class Examples(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY)
        cls.s.__enter__()
        cls.s.init()
        admin = cls.s.token = cls.s.make_token()
        cls.s.serve()
        for type_name, (class_name, purpose) in SETS.items():
            for words in (("class", "set", class_name), ("purpose", "set", purpose), ("type", "set", type_name)):
                cls.siegel(admin, *words, str(EXAMPLES / f"{words[2]}.json"))
        cls.editor = cls.siegel(admin, "token", "create", "--role", "editor", "--types", ",".join(SETS),
                                "--purposes", ",".join(purpose for _, purpose in SETS.values()))["token"]

    @classmethod
    def tearDownClass(cls):
        code = cls.s.stop()
        cls.s.__exit__(None, None, None)
        assert code == 0, f"the server ended with {code}"

    @classmethod
    def siegel(cls, token, *words, code=0):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SIEGEL_")}
        environment |= {"SIEGEL_SERVER": f"http://127.0.0.1:{cls.s.port}", "SIEGEL_TOKEN": token}
        done = subprocess.run([BINARY, "--json", *words], env=environment, capture_output=True, text=True, timeout=120, cwd=cls.s.home)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout.splitlines()[-1]) if done.stdout else None

    def take_in(self, type_name, *words, file=None, code=0):
        return self.siegel(self.editor, "--purpose", SETS[type_name][1], "import", str(EXAMPLES / (file or f"{type_name}.xlsx")),
                           "--type", type_name, *words, code=code)

    def found(self, type_name, where):
        asked = {"where": [{"field": where[0], "op": "exact", "value": where[1]}]}
        answer = self.s.request("POST", f"/v1/record-types/{type_name}/search", asked, token=self.editor,
                                headers={"Siegel-Purpose": SETS[type_name][1], "Siegel-At-Least": self.position})
        self.assertEqual(answer.status, 200, answer.body)
        return [item["values"] for item in answer.json["items"]]

    def test_contacts_are_those_of_the_text_file(self):
        """two hundred of them, with each postcode and number as people see it"""
        done = self.take_in("contacts")
        self.assertEqual(done["counts"], {"new": 200, "changed": 0, "unchanged": 0, "failed": 0})
        self.position = done["position"]
        again = self.take_in("contacts", "--match", "e-mail", "--preview", file="contacts.csv")
        self.assertEqual((again["counts"]["new"], again["counts"]["failed"]), (0, 0))
        same = {"name": str.strip, "e-mail": str.lower, "revenue": decimal.Decimal}  # what a workbook does not show, or not keep
        self.assertTrue(again["changes"])
        for change in again["changes"]:
            self.assertEqual(same[change["field"]](change["old"]), same[change["field"]](change["new"]))
        (jaeger,) = self.found("contacts", ("customer-number", "000037"))
        self.assertEqual((jaeger["plz"], jaeger["born"], jaeger["revenue"], jaeger["newsletter"]), ("07743", "1941-04-08", "639.29", True))

    def test_applicants_but_for_one_whose_address_is_none(self):
        done = self.take_in("applicants", "--rejects", "bad.csv", code=5)
        self.assertEqual(done["counts"], {"new": 69, "changed": 0, "unchanged": 0, "failed": 1})
        self.position = done["position"]
        self.assertIn("B-0023;", (self.s.home / "bad.csv").read_text())
        (ninth,) = self.found("applicants", ("number", "B-0009"))
        self.assertRegex(ninth["born"], r"^(19|20)\d\d-\d\d-\d\d$")

    def test_suppliers_but_for_the_sum_below(self):
        done = self.take_in("suppliers", code=5)
        self.assertEqual(done["counts"], {"new": 41, "changed": 0, "unchanged": 0, "failed": 1})
        self.position = done["position"]
        twice = self.found("suppliers", ("number", "01356"))
        self.assertEqual(len(twice), 2)
        self.assertEqual(twice[0], twice[1])


if __name__ == "__main__":
    BINARY = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
