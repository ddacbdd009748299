"""schemas/openapi.yaml is valid, and tells of the same routes and codes as the sources.

usage: openapi_test.py
"""
import collections
import json
import pathlib
import re
import sys
import unittest

import openapi_spec_validator

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS / "support"))
import openapi_check  # noqa: E402

HTTP = TESTS.parent / "src" / "http"
METHODS = {"get": "get", "post": "post", "put": "put", "patch": "patch", "del": "delete"}
OPERATIONS = set(METHODS.values())
PROBLEM = "application/problem+json"


def routes_of_sources():
    found = set()
    for file in sorted(HTTP.glob("api*.cc")):
        for method, pattern in re.findall(r'\{\s*Method::(\w+),\s*"([^"]+)"', file.read_text()):
            found.add((METHODS[method], pattern))
    return found


def operations():
    for path, methods in openapi_check.document()["paths"].items():
        for method, operation in methods.items():
            if method in OPERATIONS:
                yield method, path, operation


def nodes(node):
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(child)


def problem(**members):
    body = {"type": "urn:siegel:problem:not_found", "title": "Not found", "status": 404, "code": "not_found",
            "detail": "There is nothing here.", "hint": "Check the path.", "request_id": "r1"}
    return json.dumps({**body, **members}).encode()


class Document(unittest.TestCase):
    def test_is_valid(self):
        openapi_spec_validator.validate(openapi_check.document())

    def test_holds_the_routes_of_the_sources(self):
        described = {(method, re.sub(r"\{[^}]*\}", "*", path)) for method, path, _ in operations()}
        written = routes_of_sources()
        self.assertGreater(len(written), 30)
        self.assertEqual(written - described, set(), "not in the document")
        self.assertEqual(described - written, set(), "not in the sources")

    def test_holds_the_codes_of_the_sources(self):
        written = collections.defaultdict(set)
        for code, status in re.findall(r'\{"([a-z_]+)", (\d{3}), "', (HTTP / "problem.h").read_text()):
            written[status].add(code)
        described = {}
        for name, response in openapi_check.document()["components"]["responses"].items():
            _, narrow = response["content"][PROBLEM]["schema"]["allOf"]
            self.assertEqual(name, f"Problem{narrow['properties']['status']['const']}")
            described[name.removeprefix("Problem")] = set(narrow["properties"]["code"]["enum"])
        self.assertEqual(described, dict(written))
        every = openapi_check.document()["components"]["schemas"]["Problem"]["properties"]["code"]["enum"]
        self.assertEqual(set(every), set().union(*written.values()))

    def test_path_parameters_are_those_of_the_path(self):
        for method, path, operation in operations():
            given = [openapi_check.resolve(p) for p in operation.get("parameters", [])]
            self.assertEqual({p["name"] for p in given if p["in"] == "path"}, set(re.findall(r"\{([^}]*)\}", path)), path)
            body = operation.get("requestBody")
            for content in body["content"].values() if body else ():
                schema = openapi_check.resolve(content["schema"])
                if schema["type"] == "object":  # else a file
                    self.assertIs(schema["additionalProperties"], False, f"{method} {path}")

    def test_examples_fit(self):
        checked = 0
        for node in nodes({k: v for k, v in openapi_check.document().items()}):
            if "example" in node and isinstance(node.get("schema"), dict):
                openapi_check.check_value(node["schema"], node["example"], str(node["schema"]))
                checked += 1
        self.assertGreater(checked, 20)


class Check(unittest.TestCase):
    """The check itself refuses what differs."""
    HEADERS = {"Content-Type": PROBLEM, "Siegel-Request-Id": "r1"}

    def refused(self, *arguments):
        with self.assertRaises(AssertionError):
            openapi_check.validate(*arguments)

    def test_takes_a_good_answer(self):
        openapi_check.validate("GET", "/v1/nothing", 404, self.HEADERS, problem())
        openapi_check.validate("HEAD", "/healthz", 200, {"Siegel-Request-Id": "r1", "Content-Type": "application/json"}, b"")

    def test_refuses_what_differs(self):
        self.refused("GET", "/v1/nothing", 200, self.HEADERS, problem())
        self.refused("GET", "/v1/nothing", 404, self.HEADERS, problem(extra=1))
        self.refused("GET", "/v1/nothing", 404, self.HEADERS, problem(code="erased"))
        self.refused("GET", "/v1/nothing", 404, {"Content-Type": PROBLEM}, problem())
        self.refused("GET", "/v1/nothing", 404, {**self.HEADERS, "ETag": '"1"'}, problem())
        self.refused("GET", "/v1/nothing", 404, {**self.HEADERS, "Content-Type": "text/html"}, problem())
        self.refused("GET", "/healthz", 302, self.HEADERS, b"")
        self.refused("GET", "/v1/events?from=0", 200,
                     {"Content-Type": "application/x-ndjson", "Siegel-Request-Id": "r1"}, b'{"seq":0}\n')


if __name__ == "__main__":
    unittest.main(verbosity=2)
