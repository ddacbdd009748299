"""A ledger with the type `contacts` (two deletion classes), its purpose and one token for each role: what most tests begin with."""
import time

PURPOSE = "customer-care"
TYPE = {
    "title": {"de": "Kontakte"},
    "subject": {"mode": "match", "fields": ["e-mail"]},
    "default_purpose": PURPOSE,
    "fields": [
        {"name": "name", "title": "Name", "type": "text", "personal": True, "required": True, "class": "customer",
         "searchable": True},
        {"name": "e-mail", "title": "E-Mail", "type": "email", "personal": True, "class": "customer", "searchable": True},
        {"name": "born", "title": "Geboren", "type": "date", "personal": True, "class": "customer"},
        {"name": "news", "title": "Newsletter", "type": "boolean", "personal": True, "class": "marketing"},
    ],
    "form": [["name"], ["e-mail", "born"], ["news"]],
}
RECORDS = "/v1/record-types/contacts/records"


def expect(answer, *statuses):
    assert answer.status in statuses, f"{answer.status}: {answer.body[:300]}"
    return answer


def wait_for_index(s):
    for _ in range(600):
        answer = s.request("GET", "/v1/status")
        if answer.status == 200 and answer.json["search"] == "ready":
            return
        time.sleep(0.05)
    raise AssertionError("the identity index does not load")


def token(s, role, **grant):
    body = {"role": role, "purposes": [PURPOSE], "types": ["contacts"], "label": role, **grant}
    return expect(s.request("POST", "/v1/tokens", body), 201).json["token"]


def prepare(s, init=("--single-disk",), news="boolean"):
    """news: the type of that field; as "text" it takes what a test wants to find again."""
    s.run("init", *init)
    s.token = s.make_token()
    s.serve()
    for name in ("customer", "marketing"):
        expect(s.request("PUT", f"/v1/deletion-classes/{name}",
                         {"period": "P3Y", "start": "end_of_calendar_year_of_last_change", "legal_ground": "contract"}), 201)
    expect(s.request("PUT", f"/v1/purposes/{PURPOSE}", {"legal_ground": "contract", "title": {"de": "Betreuung"}}), 201)
    fields = [{**field, "type": news} if field["name"] == "news" else field for field in TYPE["fields"]]
    expect(s.request("PUT", "/v1/record-types/contacts", {**TYPE, "fields": fields}), 201)
    s.tokens = {role: token(s, role) for role in ("editor", "privacy_officer", "auditor", "sender")}
    wait_for_index(s)
    return s


def add(s, values, **more):
    return s.request("POST", RECORDS, {"values": values}, token=s.tokens["editor"], **more)


def get(s, path, role="editor", **more):
    return s.request("GET", path, token=s.tokens[role], **more)


def erase(s, subject, classes="all", mode="now", **more):
    body = {"subject": subject, "classes": classes, "ground": "art17-1-b", "mode": mode}
    return s.request("POST", "/v1/erasures", body, token=s.tokens["privacy_officer"], **more)
