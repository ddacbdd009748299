"""What no schema can express, for tests/e2e/schemathesis_test.py.

The description says how a request is formed. Whether a tree size lies within the ledger, which fields a record type has
and which classes exist is known to the running server only, so a drawn request that is well-formed is led there: it
keeps its form, and nothing of a request that is malformed on purpose is touched.
"""
import json
import os
import zlib

import requests
import schemathesis
from hypothesis import strategies
from schemathesis import openapi

KNOWN = json.loads(os.environ["SIEGEL_KNOWN"])  # size, records, subjects, erasable, tokens
PREVIEWS_KEPT = 4  # a token may hold 8; the tester would fill them within a second and be refused from then on
previews = []  # where the previews made so far are, the oldest first

# The usual strategy draws any offset, leap seconds and long fractions; nearly nothing of it would fit the pattern.
openapi.format("date-time", strategies.datetimes().filter(lambda t: t.year >= 1971).map(lambda t: t.isoformat(timespec="milliseconds") + "Z"))


TABLE = "Name;E-Mail\nDrawn;drawn@example.org\n"


@schemathesis.serializer("text/csv", "text/tab-separated-values", "application/x-ndjson",
                         "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
                         "application/vnd.oasis.opendocument.spreadsheet")
def as_it_stands(context, value):
    return value if isinstance(value, bytes) else str(value).encode()


def one_of(items, drawn):
    """One of the items, the same for the same drawn value, so that a failing request can be repeated."""
    return items[zlib.crc32(repr(drawn).encode()) % len(items)]


def fit_proof(query, low, high):
    query[high] = 1 + query[high] % KNOWN["size"]
    query[low] = query[low] % query[high]


def fit_values(body):
    drawn = body["values"]
    texts = [value for value in drawn.values() if isinstance(value, str)]
    name = "".join(c for c in " ".join(texts) if c not in "\r\n\0")[:200]
    body["values"] = {"name": name or "Known", "e-mail": f"drawn{zlib.crc32(repr(drawn).encode())}@example.org"}
    if body.get("subject") is not None:
        body["subject"] = one_of([None, *KNOWN["subjects"]], body["subject"])


def fit_erasure(body):
    if isinstance(body.get("classes"), list):
        body["classes"] = one_of([["customer"], ["customer", "marketing"], ["marketing"]], body["classes"])
    if body.get("subject") is not None:
        body["subject"] = one_of([*KNOWN["erasable"], body["subject"]], body["subject"])


def fit_search(body):
    for condition in body["where"]:
        condition["field"] = one_of(["name", "e-mail"], condition["field"])
        condition["value"] = one_of(["Known", "known1@example.org", "k", "nobody"], condition["value"])
    if body.get("sort") is not None:  # all that is found in one answer
        body["sort"]["field"] = one_of(["name", "e-mail"], body["sort"]["field"])
        body["limit"], body["cursor"] = 1000, None
    if body.get("fields") is not None:
        body["fields"] = one_of([["name"], ["e-mail", "name"], []], body["fields"])


def fit_export(body):
    body["type"] = "contacts"
    if body.get("fields") is not None:
        body["fields"] = one_of([["name"], ["e-mail", "name"], []], body["fields"])


def lead_to_what_is_there(case, label):
    if label == "GET /v1/log/proofs/inclusion":
        fit_proof(case.query, "index", "size")
    elif label == "GET /v1/log/proofs/consistency":
        fit_proof(case.query, "from", "to")
    elif label == "POST /v1/imports":
        case.query = {"type": "contacts"}
        case.body = {"file": TABLE} if case.media_type == "multipart/form-data" else TABLE.encode()
    elif label == "POST /v1/erasures":
        fit_erasure(case.body)
    elif label == "POST /v1/exports":
        fit_export(case.body)
    elif label in ("POST /v1/record-types/{type}/search", "POST /v1/subjects/search"):
        fit_search(case.body)
    elif label in ("POST /v1/record-types/{type}/records", "PATCH /v1/records/{id}"):
        fit_values(case.body)
    elif label == "GET /v1/record-types/{type}/records" and (case.query or {}).get("fields"):
        case.query["fields"] = one_of(["name", "name,e-mail", "e-mail,name"], case.query["fields"])
    drawn = case.path_parameters
    for path, ids in (("/v1/records/{id}", "records"), ("/v1/subjects/{id}", "subjects")):
        if path in label and not label.startswith("DELETE"):
            drawn["id"] = one_of([drawn["id"], *KNOWN[ids]], drawn["id"])


@schemathesis.hook
def before_call(context, case, kwargs):
    label = case.operation.label
    drawn = case.path_parameters or {}
    # What the other requests rest on stays as it is: the tester's own tokens, and the definitions.
    if label.startswith("DELETE /v1/tokens/") and drawn.get("id") in KNOWN["tokens"]:
        drawn["id"] = KNOWN["spare_token"]
    if label.startswith("PUT ") and drawn.get("name", drawn.get("type")) in ("customer-care", "customer", "marketing", "contacts"):
        drawn["type" if "type" in drawn else "name"] += "-too"
    if label == "GET /v1/events":
        case.headers["Accept"] = "application/x-ndjson"  # the live stream of the same route has no end
    if case.meta is not None and case.meta.generation.mode.is_positive and case.meta.phase.name.value != "coverage":
        lead_to_what_is_there(case, label)


@schemathesis.hook
def after_call(context, case, response):
    """Gives up the oldest preview, as a client does that has looked at it; what is refused beyond 8 has its own test."""
    if case.operation.label != "POST /v1/imports" or response.status_code not in (200, 201):
        return
    sent = response.request
    previews.append((sent.url.split("?")[0] + "/" + response.json()["import"], sent.headers["Authorization"]))
    if len(previews) > PREVIEWS_KEPT:
        url, authorization = previews.pop(0)
        answer = requests.delete(url, headers={"Authorization": authorization}, timeout=10)
        if answer.status_code not in (404, 409):  # given up, committed or undone by another call since
            answer.raise_for_status()
