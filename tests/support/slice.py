"""The registries that the tests of the whole program begin with: one type of people, two deletion classes, one purpose,
a token for each role."""
import time

PURPOSE = "customer-care"
TYPE = {
    "title": {"de": "Kontakte"},
    "subject": {"mode": "match", "fields": ["e-mail"]},
    "default_purpose": PURPOSE,
    "fields": [
        {"name": "name", "title": "Name", "type": "text", "personal": True, "required": True, "class": "customer"},
        {"name": "e-mail", "title": "E-Mail", "type": "email", "personal": True, "class": "customer"},
        {"name": "born", "title": "Geboren", "type": "date", "personal": True, "class": "customer"},
        {"name": "news", "title": "Newsletter", "type": "text", "personal": True, "class": "marketing"},
    ],
    "form": [["name"], ["e-mail", "born"], ["news"]],
}


def prepare(s, init=("--single-disk",)):
    s.run("init", *init)
    s.token = s.make_token()
    s.serve()
    for name in ("customer", "marketing"):
        put(s, f"/v1/deletion-classes/{name}",
            {"period": "P3Y", "start": "end_of_calendar_year_of_last_change", "legal_ground": "contract"})
    put(s, f"/v1/purposes/{PURPOSE}", {"legal_ground": "contract", "title": {"de": "Betreuung"}})
    put(s, "/v1/record-types/contacts", TYPE)
    s.tokens = {}
    for role in ("editor", "privacy_officer", "auditor", "sender"):
        answer = s.request("POST", "/v1/tokens", {"role": role, "purposes": [PURPOSE], "types": ["contacts"], "label": role})
        assert answer.status == 201, answer.body
        s.tokens[role] = answer.json["token"]
    wait_for_index(s)
    return s


def put(s, path, body):
    answer = s.request("PUT", path, body)
    assert answer.status == 201, answer.body


def wait_for_index(s):
    for _ in range(400):
        answer = s.request("GET", "/v1/status")
        if answer.status == 200 and answer.json["search"] == "ready":
            return
        time.sleep(0.05)
    raise AssertionError("the identity index does not load")
