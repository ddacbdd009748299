"""The pages' door over HTTP: headers, assets, signing in and out, sessions, and who may use their cookie.

usage: pages_test.py SIEGEL_BINARY
"""
import http.client
import json
import pathlib
import re
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from contacts import PURPOSE, RECORDS, expect, prepare, token, wait_for_index  # noqa: E402
from siegel_process import Answer, Siegel  # noqa: E402

BINARY = None
PAGE = {"Siegel-Page": "1"}
WRONG = "sgl_" + "A" * 43


class Browser:
    """Keeps the cookie, and sends what our pages send."""

    def __init__(self, s):
        self.s, self.cookie = s, None

    def request(self, method, path, body=None, page=True, **headers):
        given = {**(PAGE if page else {}), **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.cookie:
            given.setdefault("Cookie", self.cookie)
        if body is not None:
            given["Content-Type"] = "application/json"
        wire = http.client.HTTPConnection("127.0.0.1", self.s.port, timeout=60)
        wire.request(method, path, None if body is None else json.dumps(body), given)
        answer = wire.getresponse()
        answer = Answer(answer.status, answer.headers, answer.read())
        wire.close()
        if "Set-Cookie" in answer.headers:
            self.cookie = answer.headers["Set-Cookie"].split(";")[0]
        return answer

    def sign_in(self, token):
        return self.request("POST", "/app/session", {"token": token})


class Base(unittest.TestCase):
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY, environment=cls.environment)
        cls.s.__enter__()
        prepare(cls.s)

    @classmethod
    def tearDownClass(cls):
        code = cls.s.stop()
        log = cls.s.log_text()
        cls.s.__exit__(None, None, None)
        assert code == 0, f"the server ended with {code}"
        assert "sgl_" not in log and "siegel=" not in log, "the log holds a secret"

    def signed_in(self, role="editor"):
        browser = Browser(self.s)
        expect(browser.sign_in(self.s.tokens.get(role, self.s.token)), 200)
        return browser

    def refused(self, answer, status, code):
        self.assertEqual((answer.status, answer.code), (status, code), answer.body[:300])

    def make(self, browser):
        """A token for one session of the browser, as the page of the tokens makes it."""
        made = expect(browser.request("POST", "/v1/tokens", {"role": "editor", "all_purposes": True, "all_types": True}), 201).json
        expect(browser.request("POST", "/app/session", {"token": made["token"], "made_here": True}), 200)
        expect(browser.request("GET", RECORDS, Siegel_Purpose=PURPOSE), 200)
        return made

    def revoked(self, id_):
        for _ in range(200):
            if [one for one in self.s.request("GET", "/v1/tokens?limit=200").json["items"] if one["token_id"] == id_ and one["revoked"]]:
                return True
            time.sleep(0.05)
        return False


class Documents(Base):
    def test_every_page_is_one_document_with_a_strict_policy(self):
        for path in ("/", "/app", "/app/", "/app/types/contacts", "/app/records/re_AAAAAAAAAAAAAAAAAAAAAA"):
            answer = Browser(self.s).request("GET", path, page=False)
            self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "text/html; charset=utf-8"), path)
            policy = dict(part.strip().split(" ", 1) for part in answer.headers["Content-Security-Policy"].split(";"))
            self.assertEqual(policy["default-src"], "'none'")
            self.assertEqual((policy["script-src"], policy["style-src"]), ("'self'", "'self'"))
            self.assertEqual((policy["frame-ancestors"], policy["base-uri"]), ("'none'", "'none'"))
            self.assertNotIn("unsafe", answer.headers["Content-Security-Policy"])
            for name, value in (("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"), ("X-Frame-Options", "DENY"),
                                ("Referrer-Policy", "same-origin"), ("Cross-Origin-Opener-Policy", "same-origin")):
                self.assertEqual(answer.headers[name], value, name)
            self.assertNotIn("Set-Cookie", answer.headers)

    def test_the_document_speaks_the_language_of_the_browser(self):
        for wanted, language in (("en-GB,en;q=0.9", "en"), ("de", "de"), ("fr, en;q=0.5", "en"), ("fr", "de"), ("", "de")):
            answer = Browser(self.s).request("GET", "/", Accept_Language=wanted)
            self.assertIn(f'<html lang="{language}">'.encode(), answer.body, wanted)
            self.assertEqual(answer.headers["Vary"], "Accept-Language")

    def test_files_may_be_kept_for_ever(self):
        browser = Browser(self.s)
        names = re.findall(r"/app/assets/[a-z]+-[0-9a-f]{12}\.\w+", browser.request("GET", "/").body.decode())
        self.assertEqual({name.rsplit(".", 1)[1] for name in names}, {"js", "css", "svg"})
        for name in names:
            answer = browser.request("GET", name, page=False)
            self.assertEqual(answer.status, 200)
            self.assertIn("immutable", answer.headers["Cache-Control"])
            self.assertEqual(answer.headers["X-Content-Type-Options"], "nosniff")
            self.assertGreater(len(answer.body), 100)
            again = browser.request("GET", name, If_None_Match=answer.headers["ETag"])
            self.assertEqual((again.status, again.body), (304, b""))
            head = browser.request("HEAD", name)
            self.assertEqual((head.status, head.headers["Content-Length"]), (200, str(len(answer.body))))
        self.refused(browser.request("GET", "/app/assets/app-000000000000.js"), 404, "not_found")
        self.refused(browser.request("GET", "/app/assets/../session"), 404, "not_found")

    def test_pages_only_show(self):
        browser = Browser(self.s)
        self.assertEqual(browser.request("HEAD", "/").status, 200)
        for path in ("/", "/app/types/contacts", "/app/assets/x"):
            answer = browser.request("POST", path, {})
            self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET"), path)
        answer = browser.request("PUT", "/app/session", {})
        self.assertEqual((answer.status, answer.headers["Allow"]), (405, "GET, POST, DELETE"))


class SigningIn(Base):
    def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(self):
        browser = Browser(self.s)
        answer = expect(browser.sign_in(self.s.tokens["editor"]), 200)
        cookie = answer.headers["Set-Cookie"]
        self.assertRegex(cookie, r"^siegel=[A-Za-z0-9_-]{43}; Path=/; HttpOnly; SameSite=Strict$")  # no Secure: plain HTTP
        self.assertEqual(answer.headers["Cache-Control"], "no-store")
        self.assertNotIn(b"sgl_", answer.body)
        self.assertEqual(answer.json["session"]["role"], "editor")
        self.assertEqual(answer.json["session"]["purposes"], [PURPOSE])
        self.assertEqual(answer.json["session"]["types"], ["contacts"])

    def test_by_cookie_the_api_gives_what_the_token_gives(self):
        browser = self.signed_in()
        added = expect(browser.request("POST", RECORDS, {"values": {"name": "Ada", "e-mail": "ada@example.org"}}), 201).json
        expect(browser.request("GET", RECORDS), 200)
        expect(browser.request("PATCH", f"/v1/records/{added['record']}", {"values": {"name": "Ada L."}}, If_Match='"1"'), 200)
        self.refused(browser.request("GET", "/v1/tokens"), 403, "role_denied")
        self.refused(self.signed_in("auditor").request("GET", RECORDS), 403, "role_denied")

    def test_events_name_the_page_as_their_source(self):
        browser = self.signed_in()
        at = self.s.request("GET", "/v1/status").json["size"]
        expect(browser.request("POST", RECORDS, {"values": {"name": "Bo", "e-mail": "bo@example.org"}}), 201)
        events = self.s.request("GET", f"/v1/events?from={at}", token=self.s.tokens["auditor"]).body.splitlines()
        self.assertIn(("record.added", "page"), [(e["type"], e["source"]) for e in map(json.loads, events)])

    def test_a_token_in_the_header_comes_before_the_cookie(self):
        browser = self.signed_in()
        answer = browser.request("GET", "/v1/tokens", page=False, Authorization=f"Bearer {self.s.token}")
        self.assertEqual(answer.status, 200)

    def test_signing_out_ends_the_session(self):
        browser = self.signed_in()
        cookie = browser.cookie
        answer = expect(browser.request("DELETE", "/app/session"), 204)
        self.assertIn("Max-Age=0", answer.headers["Set-Cookie"])
        self.refused(browser.request("GET", "/v1/record-types", Cookie=cookie), 401, "token_missing")
        self.assertIsNone(browser.request("GET", "/app/session", Cookie=cookie).json["session"])

    def test_a_revoked_token_ends_its_sessions(self):
        made = self.s.request("POST", "/v1/tokens", {"role": "editor", "all_purposes": True, "all_types": True}).json
        browser = Browser(self.s)
        expect(browser.sign_in(made["token"]), 200)
        expect(browser.request("GET", "/v1/record-types"), 200)
        expect(self.s.request("DELETE", f"/v1/tokens/{made['token_id']}"), 204)
        self.refused(browser.request("GET", "/v1/record-types"), 401, "token_wrong")
        self.refused(browser.request("GET", "/v1/record-types"), 401, "token_missing")
        self.assertIsNone(browser.request("GET", "/app/session").json["session"])

    def test_signing_in_anew_leaves_no_session_behind(self):
        browser = self.signed_in()
        first = browser.cookie
        expect(browser.sign_in(self.s.tokens["auditor"]), 200)
        self.assertNotEqual(first, browser.cookie)
        self.refused(browser.request("GET", "/v1/record-types", Cookie=first), 401, "token_missing")

    def test_one_token_has_twenty_sessions_at_most(self):
        token_ = token(self.s, "editor")
        browsers = [Browser(self.s) for _ in range(21)]
        for browser in browsers:
            expect(browser.sign_in(token_), 200)
        self.assertEqual([b.request("GET", "/v1/purposes").status for b in browsers], [401] + [200] * 20)

    def test_a_token_made_for_a_session_is_revoked_when_it_ends(self):
        browser = Browser(self.s)
        expect(browser.sign_in(self.s.token), 200)
        made = self.make(browser)
        expect(browser.request("DELETE", "/app/session"), 204)
        self.assertTrue(self.revoked(made["token_id"]))
        expect(browser.sign_in(self.s.token), 200)
        made = self.make(browser)
        expect(browser.sign_in(self.s.tokens["editor"]), 200)  # another one in its place
        self.assertTrue(self.revoked(made["token_id"]))
        # Only who may take tokens back says so.
        given = {"token": self.s.tokens["auditor"], "made_here": True}
        self.refused(browser.request("POST", "/app/session", given), 403, "role_denied")
        self.refused(Browser(self.s).request("POST", "/app/session", given), 401, "token_missing")
        expect(Browser(self.s).sign_in(self.s.tokens["auditor"]), 200)

    def test_made_up_cookies_are_nobody(self):
        for cookie in ("siegel=", "siegel=x", "siegel=" + "A" * 43, "a=b; siegel=" + "A" * 43, "siegel", ";;=", "siegel=\t"):
            self.assertEqual(Browser(self.s).request("GET", "/v1/record-types", Cookie=cookie).status, 401, cookie)
            self.assertIsNone(Browser(self.s).request("GET", "/app/session", Cookie=cookie).json["session"])

    def test_bodies_that_are_no_sign_in(self):
        browser = Browser(self.s)
        self.refused(browser.request("POST", "/app/session", {}), 400, "bad_value")
        self.refused(browser.request("POST", "/app/session", {"token": WRONG, "x": 1}), 400, "unknown_field")
        self.refused(browser.request("POST", "/app/session", {"token": "x" * 5000}), 413, "too_large")
        self.refused(browser.request("POST", "/app/session", page=True), 415, "unsupported_media")

    def test_problems_are_german_for_who_asks(self):
        browser = Browser(self.s)
        german = browser.request("GET", "/v1/record-types", Accept_Language="de").json
        self.assertEqual(german["code"], "token_missing")
        self.assertEqual(german["detail"], "Dazu wird ein Zugangsschlüssel gebraucht.")
        self.assertTrue(browser.request("GET", "/v1/record-types", Accept_Language="en").json["detail"].startswith("This route"))


class OtherSites(Base):
    def test_without_the_header_of_a_page_nothing_is_changed(self):
        browser = self.signed_in()
        body = {"values": {"name": "Eve", "e-mail": "eve@example.org"}}
        before = self.s.request("GET", "/v1/status").json["size"]
        self.refused(browser.request("POST", RECORDS, body, page=False), 403, "cross_site")
        self.refused(browser.request("DELETE", "/app/session", page=False), 403, "cross_site")
        self.refused(browser.request("POST", "/app/session", {"token": self.s.token}, page=False), 403, "cross_site")
        # A read without it is one without a session, and leaves no trace of the token.
        self.refused(browser.request("GET", RECORDS, page=False), 401, "token_missing")
        self.assertEqual(self.s.request("GET", "/v1/status").json["size"], before)
        expect(browser.request("GET", "/v1/openapi.yaml", page=False), 200)

    def test_another_origin_is_refused(self):
        browser = self.signed_in()
        ours = f"127.0.0.1:{self.s.port}"
        body = {"values": {"name": "Eve", "e-mail": "eve@example.org"}}
        for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}, {"Origin": "http://127.0.0.1:1"},
                        {"Origin": f"http://{ours}.evil.example"}, {"Sec_Fetch_Site": "cross-site"}, {"Sec_Fetch_Site": "same-site"},
                        {"Sec_Fetch_Site": "none"}):
            self.refused(browser.request("POST", RECORDS, body, **headers), 403, "cross_site")
            self.refused(browser.request("DELETE", "/app/session", **headers), 403, "cross_site")
            self.assertEqual(browser.request("GET", RECORDS, **headers).status, 401)
        expect(browser.request("GET", RECORDS, Origin=f"http://{ours}", Sec_Fetch_Site="same-origin"), 200)

    def test_no_answer_lets_another_origin_read(self):
        browser = self.signed_in()
        for path in ("/", "/app/session", RECORDS):
            answer = browser.request("GET", path, Origin="https://evil.example")
            self.assertFalse([name for name in answer.headers if name.lower().startswith("access-control-")])
        self.assertIn(browser.request("OPTIONS", RECORDS, Origin="https://evil.example").status, (403, 405))


class Guessing(Base):
    def test_wrong_sign_ins_are_bounded_and_keep_nobody_out(self):
        browser = Browser(self.s)
        begin = time.monotonic()
        codes = [browser.sign_in(WRONG[:-1] + c).code for c in "BCDEFGHIJK"]
        self.assertEqual(codes, ["token_wrong"] * 10)
        answer = browser.sign_in(WRONG)
        if time.monotonic() - begin < 50:
            self.refused(answer, 429, "rate_limited")
            self.assertEqual(answer.headers["Retry-After"], "60")
        self.assertIsNone(browser.cookie)
        # Others may share the address, behind a proxy all do.
        expect(browser.sign_in(self.s.tokens["editor"]), 200)
        self.assertIn(browser.sign_in(WRONG).status, (401, 429))
        expect(browser.request("GET", "/v1/purposes"), 200)  # a wrong one ends no session


class Ends(Base):
    environment = {"SIEGEL_LIMITS_SESSION_IDLE_S": "2", "SIEGEL_LIMITS_SESSION_S": "5"}

    def test_a_token_made_for_a_session_is_revoked_when_that_one_ends_by_itself(self):
        browser = Browser(self.s)
        expect(browser.sign_in(self.s.token), 200)
        self.assertTrue(self.revoked(self.make(browser)["token_id"]))  # without a request of anybody's

    def test_a_session_ends_when_nobody_uses_it_and_after_its_lifetime(self):
        used, unused = self.signed_in(), self.signed_in()
        begin = time.monotonic()
        while time.monotonic() - begin < 3.5:
            time.sleep(0.5)
            expect(used.request("GET", "/v1/purposes"), 200)
        self.refused(unused.request("GET", "/v1/purposes"), 401, "token_missing")
        while time.monotonic() - begin < 6:
            time.sleep(0.5)
            last = used.request("GET", "/v1/purposes")
        self.refused(last, 401, "token_missing")


class BehindTls(Base):
    environment = {"SIEGEL_SERVER_PUBLIC_URL": "https://siegel.example"}

    def test_the_cookie_is_for_tls_and_this_host_only(self):
        browser = Browser(self.s)
        answer = expect(browser.request("POST", "/app/session", {"token": self.s.token}, Origin="https://siegel.example"), 200)
        self.assertRegex(answer.headers["Set-Cookie"], r"^__Host-siegel=\S{43}; Path=/; HttpOnly; SameSite=Strict; Secure$")
        expect(browser.request("GET", "/v1/tokens"), 200)
        name, value = browser.cookie.split("=")
        self.refused(browser.request("GET", "/v1/tokens", Cookie=f"siegel={value}"), 401, "token_missing")

    def test_a_restart_signs_everybody_out(self):
        browser = Browser(self.s)
        expect(browser.sign_in(self.s.token), 200)
        self.s.stop()
        self.s.serve()
        wait_for_index(self.s)
        self.refused(browser.request("GET", "/v1/tokens"), 401, "token_missing")


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
