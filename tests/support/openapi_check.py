"""Answers of the API against schemas/openapi.yaml: validate() raises AssertionError where one is not what the document says."""
import functools
import json
import pathlib
import re

import jsonschema
import yaml

DOCUMENT = pathlib.Path(__file__).resolve().parents[2] / "schemas" / "openapi.yaml"
UNLISTED = {404: ("Problem404", "not_found"), 405: ("Problem405", "method_not_allowed")}


@functools.cache
def document():
    return yaml.safe_load(DOCUMENT.read_text(encoding="utf-8"))


def resolve(node):
    while "$ref" in node:
        reference, node = node["$ref"], document()
        for name in reference.removeprefix("#/").split("/"):
            node = node[name]
    return node


@functools.cache
def _validator(text):
    schema = json.loads(text)
    schema["components"] = document()["components"]  # where "#/components/…" of the schema leads
    return jsonschema.Draft202012Validator(schema, format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER)


def check_value(schema, value, what):
    for error in _validator(json.dumps(schema)).iter_errors(value):
        # Neither the value nor jsonschema's message with it: a test's output is a log too.
        raise AssertionError(f"{what}: {error.json_path} breaks {error.validator} of the schema ({list(error.schema_path)})")


@functools.cache
def _patterns():
    def pattern(path):
        return re.compile(re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)))
    # A path without parameters comes first: it is the more exact one.
    return [(pattern(path), path) for path in sorted(document()["paths"], key=lambda p: p.count("{"))]


def path_of(path):
    """The path template that a request's path (query or not) belongs to, or None."""
    bare = path.split("?")[0]
    return next((template for pattern, template in _patterns() if pattern.fullmatch(bare)), None)


def response_of(method, path, status):
    template = path_of(path)
    operations = document()["paths"].get(template, {})
    operation = operations.get({"HEAD": "get"}.get(method.upper(), method.lower()))
    if operation is None:
        expected = 405 if operations else 404
        # Without a good token nothing tells which paths there are; a request that is not taken is not looked at.
        assert status in (400, 401, 408, 413, 431, 503, expected), f"{method} {template} is not in the document: {status}"
        return resolve({"$ref": f"#/components/responses/Problem{status}"})
    assert str(status) in operation["responses"], f"{method} {template} does not know status {status}"
    return resolve(operation["responses"][str(status)])


def validate(method, path, status, headers, body):
    """headers: any mapping; body: bytes as they came."""
    where = f"{method} {path_of(path)} {status}"
    response = response_of(method, path, status)
    given = {name.lower(): value for name, value in headers.items()}
    for name, header in response.get("headers", {}).items():
        header = resolve(header)
        value = given.get(name.lower())
        if value is None:
            assert not header.get("required"), f"{where}: header {name} is missing"
        else:
            check_value(header["schema"], value, f"{where}: header {name}")
    for name in given:
        if name.startswith("siegel-") or name in ("etag", "retry-after"):
            known = {known.lower() for known in response.get("headers", {})}
            assert name in known, f"{where}: header {name} is not in the document"
    content = response.get("content")
    if content is None:
        assert not body, f"{where}: a body that the document does not know"
        return
    if method.upper() == "HEAD":
        assert not body, f"{where}: HEAD with a body"
        return
    media = given.get("content-type", "").split(";")[0].strip()
    if not body and media == "":
        media = next((name for name in content if name in ("application/x-ndjson", "text/plain")), "")  # an empty list
    assert media in content, f"{where}: content type {media!r} is not in the document"
    entry = content[media]
    text = body.decode("utf-8")
    check_value(entry["schema"], json.loads(text) if media.endswith("json") and "ndjson" not in media else text, where)
    if "x-line-schema" in entry:
        for line in text.splitlines():
            check_value(entry["x-line-schema"], json.loads(line), f"{where}: line")
