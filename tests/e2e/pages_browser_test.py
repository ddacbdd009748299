"""The pages in a real Chromium: with the keyboard alone, with axe-core on each page, in both languages and at phone width.

usage: pages_browser_test.py SIEGEL_BINARY [--pictures DIR]
"""
import json
import pathlib
import sys
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from axe_playwright_python.sync_playwright import Axe  # noqa: E402
from contacts import PURPOSE, RECORDS, TYPE, erase, expect, prepare, wait_for_index  # noqa: E402
from playwright.sync_api import expect as shown  # noqa: E402
from playwright.sync_api import sync_playwright  # noqa: E402
from siegel_process import Siegel  # noqa: E402

BINARY, PICTURES = None, None
WIDE, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
CANARY = "Kanari Wuxqy"
# The sum of what moved without anybody having done anything (the browser's own measure).
SHIFTS = """() => { window.shifts = 0; new PerformanceObserver((list) => {
  for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifts += e.value; }).observe({type: "layout-shift", buffered: true}); }"""

# Holds the first answer to what is asked of that address until late() is called, whether or not it is still wanted.
LATE = """(path) => { const real = window.fetch; window.fetch = (asked, init) => {
  if (asked !== path || window.late) return real(asked, init);
  const { signal, ...rest } = init;
  return new Promise((answer) => { window.late = async () => {
    answer(await real(asked, rest));
    await new Promise((then) => setTimeout(then, 200)); }; }); }; }"""


class Pages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.s = Siegel(BINARY)
        cls.s.__enter__()
        prepare(cls.s)
        fields = [{**f, "searchable": True} if f["name"] in ("name", "e-mail") else f for f in TYPE["fields"]]
        fields += [{"name": "revenue", "title": "Umsatz", "type": "decimal", "personal": True, "class": "customer"}]
        expect(cls.s.request("PUT", "/v1/record-types/contacts", {**TYPE, "title": {"de": "Kontakte", "en": "Contacts"}, "fields": fields}), 200)
        cls.s.request("PUT", "/v1/purposes/newsletter", {"legal_ground": "consent", "title": {"de": "Rundbrief", "en": "Newsletter"},
                                                         "fields": {"contacts": ["name", "e-mail"]}})
        for i in range(60):
            values = {"name": f"{CANARY} {i:02}", "e-mail": f"kanari{i}@example.org", "born": "1970-01-31", "news": i % 2 == 0}
            cls.last = expect(cls.s.request("POST", RECORDS, {"values": values}, token=cls.s.tokens["editor"]), 201).json["record"]
        cls.playwright = sync_playwright().start()
        cls.browser = cls.playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])

    @classmethod
    def tearDownClass(cls):
        cls.browser.close()
        cls.playwright.stop()
        code = cls.s.stop()
        log = cls.s.log_text()
        cls.s.__exit__(None, None, None)
        assert code == 0, f"the server ended with {code}"
        assert CANARY not in log

    def open(self, path="/", language="de", size=WIDE, scheme="light", clock=False):
        """clock: that of the page is moved by the test."""
        context = self.browser.new_context(viewport=size, locale=language, color_scheme=scheme, reduced_motion="reduce",
                                           timezone_id="Europe/Berlin")
        context.add_init_script(f"({SHIFTS})()")
        if clock:
            context.clock.install()
        self.addCleanup(context.close)
        return self.tab(context, path)

    def tab(self, context, path):
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.told = []
        page.on("console", lambda m: page.told.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: page.told.append(str(e)))
        page.on("request", lambda r: self.assertNotIn("anari", r.url))
        page.goto(f"http://127.0.0.1:{self.s.port}{path}")
        return page

    def signed_in(self, path="/app/", token=None, **how):
        page = self.open("/", **how)
        page.fill("#token", token or self.s.tokens["editor"])
        page.keyboard.press("Enter")
        page.wait_for_selector("header nav")
        if path != "/app/":
            page.goto(f"http://127.0.0.1:{self.s.port}{path}")
            page.wait_for_selector("header nav")
        return page

    def look(self, page, name):
        """What holds of each page as it stands; and its picture, for people."""
        found = Axe().run(page)
        self.assertEqual(found.violations_count, 0, f"{name}: {found.generate_report()}")
        self.assertLessEqual(page.evaluate("window.shifts"), 0.02, f"{name}: things move")
        self.assertFalse(page.evaluate("document.documentElement.scrollWidth > innerWidth"), f"{name}: wider than the window")
        if PICTURES:
            pathlib.Path(PICTURES).mkdir(parents=True, exist_ok=True)
            page.screenshot(path=f"{PICTURES}/{name}.png", full_page=page.viewport_size == PHONE)

    def clean(self, page, refused=0):
        """refused: answers of 4xx that were meant; the browser tells of each by itself."""
        self.assertEqual([text for text in page.told if "Failed to load resource" not in text], [])
        self.assertEqual(len(page.told), refused)
        kept = page.evaluate("JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])")
        self.assertNotIn("anari", kept)
        self.assertNotIn("sgl_", kept)

    def test_every_page_in_both_languages_and_widths(self):
        for language, size, scheme in (("de", WIDE, "light"), ("en", WIDE, "dark"), ("en", PHONE, "light"), ("de", PHONE, "dark")):
            kind = f"{language}-{'phone' if size == PHONE else 'wide'}"
            page = self.open("/", language=language, size=size, scheme=scheme)
            page.wait_for_selector("#token")
            self.look(page, f"sign-in-{kind}")
            page.fill("#token", self.s.token)
            page.keyboard.press("Enter")
            page.wait_for_selector(".cards")
            self.look(page, f"admin-{kind}")
            page.click("nav a[href='/app/access']")
            page.wait_for_selector("tbody tr")
            self.look(page, f"access-{kind}")
            page.click("nav a[href='/app/rules']")
            page.wait_for_selector(".rules li")
            self.look(page, f"rules-{kind}")
            self.clean(page)
            page = self.signed_in(language=language, size=size, scheme=scheme)
            page.wait_for_selector(".cards a")
            self.look(page, f"types-{kind}")
            page.click(".cards a")
            page.wait_for_selector("tbody tr")
            self.look(page, f"records-{kind}")
            page.click("tbody tr:first-child a")
            page.wait_for_selector(".timeline > li")
            self.look(page, f"record-{kind}")
            page.click("#edit")
            page.wait_for_selector("form.record")
            self.look(page, f"form-{kind}")
            page.goto(f"http://127.0.0.1:{self.s.port}/app/import")
            page.wait_for_selector("#cells")
            self.look(page, f"import-{kind}")
            page.fill("#cells", f"Name\tE-Mail\tGeboren\n{CANARY}\tkanari-look@example.org\t31.12.1980\n{CANARY}\tno address\t1.1.2000\n")
            page.click(".sources form .button")
            page.wait_for_selector("#preview")
            self.look(page, f"preview-{kind}")
            page.locator(".tabs button").last.click()
            self.look(page, f"preview-form-{kind}")
            page.locator("siegel-preview .row button.quiet").click()  # discarded
            page.wait_for_selector("#cells")
            page.goto(f"http://127.0.0.1:{self.s.port}/app/types/contacts/form")
            page.wait_for_selector(".arranged li")
            self.look(page, f"arrange-{kind}")
            page.goto(f"http://127.0.0.1:{self.s.port}/app/nowhere")
            page.wait_for_selector("main h1")
            self.look(page, f"nowhere-{kind}")
            self.clean(page)

    def test_with_the_keyboard_alone(self):
        page = self.open("/", language="en")
        page.wait_for_selector("#token")
        press = page.keyboard.press

        def tab_to(what):
            for _ in range(60):
                if page.evaluate("(what) => document.activeElement.matches(what)", what):
                    return
                press("Tab")
            self.fail(f"the keyboard does not get to {what}")

        page.keyboard.insert_text("sgl_wrong")  # the field has the focus
        press("Enter")
        shown(page.get_by_role("alert")).to_contain_text("not known or was revoked")
        page.keyboard.insert_text(self.s.token)  # what was wrong is selected
        press("Enter")
        page.wait_for_selector(".seal button")
        tab_to(".seal button")
        press("Enter")
        page.wait_for_selector(".cards a")
        tab_to("a[href='/app/types/contacts']")
        press("Enter")
        page.wait_for_selector("tbody tr")
        self.assertEqual(page.evaluate("document.activeElement.id"), "main")
        tab_to("tbody a")
        press("Enter")
        page.wait_for_selector(".timeline > li")
        tab_to("#edit")
        press("Enter")
        tab_to("#field-name")
        press("Control+A")
        page.keyboard.insert_text(f"{CANARY} by keys")
        tab_to("#reason")
        page.keyboard.insert_text("a call")
        press("Enter")
        shown(page.get_by_role("heading", level=1)).to_have_text(f"{CANARY} by keys")
        shown(page.locator(".timeline > li")).to_have_count(2)
        shown(page.locator(".timeline > li").first).to_contain_text("You (this token)")
        shown(page.locator(".timeline del")).to_have_text(f"{CANARY} 00")
        self.assertEqual([text for text in page.told if "401" not in text], [])

    def test_pages_of_a_table_go_forward_and_back(self):
        page = self.signed_in("/app/types/contacts")
        shown(page.locator("tbody tr")).to_have_count(50)
        shown(page.locator(".pager")).to_contain_text("1 bis 50")
        page.click(".pager button:last-child")
        shown(page.locator(".pager")).to_contain_text("51 bis")
        self.assertGreaterEqual(page.locator("tbody tr").count(), 10)
        shown(page.locator(".pager button:last-child")).to_be_disabled()
        page.click(".pager button:first-child")
        shown(page.locator("tbody tr")).to_have_count(50)
        self.clean(page)

    def test_a_purpose_shows_its_fields_only(self):
        token = expect(self.s.request("POST", "/v1/tokens", {"role": "editor", "all_purposes": True, "all_types": True}), 201).json["token"]
        page = self.signed_in("/app/types/contacts", token=token)
        page.wait_for_selector("tbody tr")
        self.assertIn("Geboren", page.locator("thead").inner_text())
        page.select_option(".purpose select", "newsletter")
        shown(page.locator("thead")).not_to_contain_text("Geboren")
        shown(page.locator("tbody tr").first).to_contain_text("kanari")
        self.clean(page)

    def test_a_record_is_read_and_saved_under_the_purpose_of_its_table(self):
        """Also with one that stands before it in the alphabet and covers less."""
        limited = {"legal_ground": "contract", "title": {"de": "Abrechnung"}, "fields": {"contacts": ["name", "revenue"]}}
        expect(self.s.request("PUT", "/v1/purposes/abrechnung", limited), 201)
        page = self.signed_in("/app/types/contacts", token=self.token())
        asked = []
        page.on("request", lambda r: asked.append((r.method, r.headers.get("siegel-purpose"))) if "/v1/rec" in r.url and "purpose" in str(r.headers) else None)
        select = page.locator("header .purpose select")
        page.click("tbody tr:nth-child(9) a")
        page.wait_for_selector(".timeline > li")
        shown(page.locator(".details")).to_contain_text("31.01.1970")
        shown(select).to_have_value(PURPOSE)
        self.assertEqual(set(asked), {("GET", PURPOSE)})
        record = page.url.split("/records/")[1][:25]
        page.click("#edit")
        page.fill("#field-name", f"{CANARY} for care")
        page.click("form.record .button")
        shown(page.locator(".timeline > li")).to_have_count(2)
        self.assertEqual(set(asked), {("GET", PURPOSE), ("PATCH", PURPOSE)})
        page.click(".crumb a")
        page.wait_for_selector("tbody tr")
        before = expect(self.s.request("GET", f"/v1/records/{record}", token=self.s.tokens["editor"]), 200).json["values"]

        del asked[:]
        page.select_option("header .purpose select", "abrechnung")
        shown(page.locator("thead")).not_to_contain_text("Geboren")
        page.click("tbody tr:nth-child(9) a")
        page.wait_for_selector(".timeline > li")
        shown(select).to_have_value("abrechnung")
        self.assertNotIn("31.01.1970", page.locator("main").inner_text())
        other = self.tab(page.context, page.url.split(str(self.s.port), 1)[1])  # as a click with the middle button does
        shown(other.locator("header .purpose select")).to_have_value("abrechnung")
        shown(other.locator(".details dt")).to_have_count(2)
        page.click("#edit")
        self.assertEqual(page.locator("form.record [id^=field-]").evaluate_all("(all) => all.map((e) => e.id).filter((id) => !id.endsWith('-help'))"),
                         ["field-name", "field-revenue"])
        page.fill("#field-revenue", "12,50")
        page.click("form.record .button")
        shown(page.locator(".details")).to_contain_text("12,50")
        self.assertEqual(set(asked), {("GET", "abrechnung"), ("PATCH", "abrechnung")})
        stored = expect(self.s.request("GET", f"/v1/records/{record}", token=self.s.tokens["editor"]), 200).json["values"]
        self.assertEqual(stored, {**before, "revenue": "12.50"})
        self.clean(page)

    def test_no_purpose_is_guessed(self):
        """A record by its number alone, of types with different purposes: nothing is read before people say what for."""
        fields = [{"name": "one", "title": "Eins", "type": "text", "personal": False, "class": "customer"}]
        expect(self.s.request("PUT", "/v1/record-types/undecided", {"subject": {"mode": "none"}, "fields": fields, "form": [["one"]]}), 201)
        page = self.signed_in(f"/app/records/{self.last}", token=self.token())
        asked = []
        page.on("request", lambda r: asked.append(r.headers.get("siegel-purpose")) if "/v1/records/" in r.url else None)
        shown(page.get_by_role("heading", level=1)).to_have_text("Für welchen Zweck?")
        self.look(page, "purpose-de-wide")
        self.assertEqual(asked, [])
        page.locator("main").get_by_role("button", name="Betreuung").click()
        shown(page.locator(".details")).to_contain_text("31.01.1970")
        page.wait_for_selector(".timeline > li")
        self.assertEqual(set(asked), {PURPOSE})
        shown(page.locator("header .purpose select")).to_have_value(PURPOSE)
        page.goto(f"http://127.0.0.1:{self.s.port}/app/types/undecided")
        shown(page.get_by_role("heading", level=1)).to_have_text("Für welchen Zweck?")
        page.select_option("header .purpose select", "newsletter")
        shown(page.locator(".empty")).to_be_visible()
        self.clean(page)

    def test_dates_are_written_in_the_language_of_the_page(self):
        """Whatever the browser's own is: its control for dates would show 12/31/1990 beside a German text."""
        fields = [{"name": n, "title": n, "type": n, "personal": False, "class": "customer"} for n in ("date", "datetime")]
        expect(self.s.request("PUT", "/v1/record-types/dated", {"subject": {"mode": "none"}, "default_purpose": PURPOSE, "fields": fields,
                                                                 "form": [["date", "datetime"]]}), 201)
        token, stored = self.token(), {"date": "1990-12-31", "datetime": "2026-11-23T08:30:12.345Z"}
        path = "/v1/record-types/dated/records"
        for language, date, moment, other, wrong in (("de", "31.12.1990", "23.11.2026 09:30:12.345", "1.2.1991", "12/31/1990"),
                                                     ("en", "1990-12-31", "2026-11-23 09:30:12.345", "1991-02-01", "31.02.1990")):
            record = expect(self.s.request("POST", path, {"values": stored}, token=token, purpose=PURPOSE), 201).json["record"]
            page = self.signed_in("/app/types/dated", token=token, language="de" if language == "en" else "en")  # the browser's
            page.get_by_role("button", name="Deutsch" if language == "de" else "English").click()
            page.click(f"a[href*='{record}']")
            page.click("#edit")
            self.assertEqual((page.input_value("#field-date"), page.input_value("#field-datetime")), (date, moment))
            self.assertEqual(page.locator("[type=date], [type=datetime-local]").count(), 0)
            page.fill("#field-date", wrong)
            page.fill("#field-datetime", wrong)
            page.click("form.record .button")
            shown(page.locator("#field-date-wrong")).to_contain_text("31.12.1990" if language == "de" else "1990-12-31")
            shown(page.locator("#field-datetime-wrong")).to_contain_text("14:30")
            self.look(page, f"dates-{language}-wide")
            page.fill("#field-datetime", moment)
            page.fill("#field-date", other)
            page.click("form.record .button")
            shown(page.locator(".timeline > li")).to_have_count(2)
            shown(page.locator(".timeline > li").first.locator(".changes li")).to_have_count(1)  # the moment was not touched
            page.click("#edit")
            page.fill("#field-datetime", moment.rsplit(":", 1)[0])
            page.click("form.record .button")
            shown(page.locator(".timeline > li")).to_have_count(3)
            now = expect(self.s.request("GET", f"/v1/records/{record}", token=token, purpose=PURPOSE), 200).json["values"]
            self.assertEqual((now["date"], now["datetime"][:19]), ("1991-02-01", "2026-11-23T08:30:00"))
            self.clean(page)

    def test_the_history_says_who_and_why_as_it_was_written(self):
        fields = [{"name": "note", "title": "Notiz", "type": "multiline", "personal": False, "class": "customer"}]
        expect(self.s.request("PUT", "/v1/record-types/noted", {"subject": {"mode": "none"}, "default_purpose": PURPOSE, "fields": fields,
                                                                 "form": [["note"]]}), 201)
        made = self.s.request("POST", "/v1/tokens", {"role": "editor", "all_purposes": True, "all_types": True}).json
        record = expect(self.s.request("POST", "/v1/record-types/noted/records", {"values": {"note": "eins\nzwei"}}, token=made["token"], purpose=PURPOSE), 201)
        page = self.signed_in(f"/app/types/noted/records/{record.json['record']}", token=self.token())
        entry = page.locator(".timeline > li").first
        shown(entry).to_contain_text(f"…{made['token_id'][-8:]}")
        self.assertEqual(entry.locator("ins").inner_text(), "eins\nzwei")
        page.click("#edit")
        page.fill("#field-note", "drei")
        page.fill("#reason", "Heirat")
        page.click("form.record .button")
        shown(page.locator(".timeline > li")).to_have_count(2)
        shown(entry).to_contain_text("Heirat")
        self.assertEqual(entry.locator("del").inner_text(), "eins\nzwei")
        self.look(page, "reason-de-wide")
        page = self.signed_in("/app/access", token=self.s.token)
        row = page.locator("tbody tr", has_text=f"…{made['token_id'][-8:]}")
        shown(row).to_have_count(1)
        row.locator("button").click()
        shown(page.get_by_role("dialog")).to_contain_text(f"…{made['token_id'][-8:]}")
        self.look(page, "revoke-de-wide")

    def test_a_record_is_added(self):
        page = self.signed_in("/app/types/contacts/new")
        page.click("form.record .button")
        shown(page.locator("#field-name-wrong")).to_be_visible()  # required
        self.look(page, "new-de-wide")
        page.fill("#field-name", f"{CANARY} neu")
        page.fill("#field-e-mail", "no address")
        page.click("form.record .button")
        shown(page.locator("#field-e-mail-wrong")).to_have_text("keine E-Mail-Adresse")  # what the server says, at its field
        page.fill("#field-e-mail", "")
        page.fill("#field-revenue", "1.234,50")
        page.click("form.record .button")
        shown(page.locator("#field-revenue-wrong")).to_be_visible()  # never another number
        page.fill("#field-revenue", "1234,50")
        page.click("form.record .button")
        shown(page.get_by_role("heading", level=1)).to_have_text(f"{CANARY} neu")
        shown(page.locator(".details")).to_contain_text("1234,50")
        self.assertRegex(page.url, r"/app/types/contacts/records/re_[\w-]{22}$")
        self.clean(page, refused=1)

    def test_a_pasted_sheet_becomes_a_type_and_is_taken_back(self):
        token = expect(self.s.request("POST", "/v1/tokens", {"role": "editor", "purposes": [PURPOSE], "all_types": True}), 201).json["token"]
        page = self.signed_in("/app/import", token=token)
        rows = [(f"{CANARY} {i}", f"kanari-guest{i}@example.org", f"{i % 28 + 1:02}.03.1980", "007", "x") for i in range(60)]
        rows[7] = (rows[7][0], rows[7][1], "31.02.1980", "007", "x")
        page.fill("#cells", "\n".join("\t".join(row) for row in [("Name", "E-Mail", "Geboren", "Tisch", "Notiz"), *rows]))
        page.get_by_role("button", name="Ansehen").click()
        shown(page.locator("#preview")).to_be_focused()
        column = lambda title: page.locator("table.columns tbody tr").filter(has=page.get_by_role("rowheader", name=title))  # noqa: E731
        shown(column("Tisch")).to_contain_text("beginnt mit einer Null")
        shown(column("Geboren").locator("select")).to_have_value("date")
        shown(column("Geboren")).to_contain_text("1 Ausnahme")
        column("Notiz").locator("select").select_option("")
        shown(column("Notiz").locator("select")).to_have_count(0)
        shown(column("Notiz")).to_contain_text("wird nicht übernommen")
        column("Tisch").locator("select").select_option("multiline")
        self.look(page, "import-new-type-de-wide")
        page.get_by_role("button", name="Übernehmen", exact=True).click()
        shown(page.locator("#new-title-wrong")).to_be_visible()  # pasted cells have no name
        page.fill("#new-title", "Gäste")
        page.select_option("#new-class", "customer")
        page.get_by_role("button", name="Übernehmen", exact=True).click()
        shown(page.locator("#outcome")).to_have_text("Übernommen")
        shown(page.locator(".counts")).to_contain_text("59")
        self.look(page, "import-done-de-wide")
        with page.expect_download() as download:
            page.get_by_role("button", name="Nicht passende Zeilen als Datei").click()
        rejects = pathlib.Path(download.value.path()).read_text()
        self.assertIn("31.02.1980", rejects)
        self.assertEqual(len(rejects.splitlines()), 2)
        fields = self.s.request("GET", "/v1/record-types/gaeste").json["fields"]
        self.assertEqual([(f["name"], f["type"]) for f in fields], [("name", "text"), ("e-mail", "email"), ("geboren", "date"), ("tisch", "multiline")])
        page.get_by_role("button", name="Rückgängig machen").first.click()
        page.locator("dialog [value=yes]").click()
        shown(page.locator("#outcome")).to_have_text("Rückgängig gemacht")
        shown(page.locator(".counts")).to_contain_text("59")
        page.get_by_role("link", name="Datensätze ansehen").click()
        shown(page.locator(".empty")).to_be_visible()
        self.clean(page)

    def test_a_file_changes_records_and_is_found_by_search(self):
        values = {"name": f"{CANARY} alt", "e-mail": "kanari-file@example.org"}
        expect(self.s.request("POST", RECORDS, {"values": values}, token=self.s.tokens["editor"]), 201)
        page = self.signed_in("/app/import")
        page.select_option("#into", "contacts")
        file = f"Wer;E-Mail;Geboren\n{CANARY} neu;kanari-file@example.org;31.12.1980\n{CANARY} zwei;kanari-two@example.org;\nDrei;keine;\n"
        page.set_input_files("input[type=file]", {"name": "kontakte.csv", "mimeType": "text/csv", "buffer": file.encode()})
        shown(page.locator("#preview")).to_have_text("kontakte.csv")
        first = page.locator("table.columns tbody tr").first
        shown(first).to_contain_text("wird nicht übernommen")
        first.locator("select").select_option("name")
        shown(page.locator("[aria-labelledby=changes] tbody tr").first).to_contain_text(f"{CANARY} neu")
        self.look(page, "import-changes-de-wide")
        page.get_by_role("button", name="Übernehmen", exact=True).click()
        shown(page.locator("#outcome")).to_have_text("Übernommen")
        self.assertEqual(page.locator(".counts dd").all_inner_texts(), ["1", "1", "0", "1"])
        page.get_by_role("link", name="Datensätze ansehen").click()
        page.fill("form.search input", f"{CANARY} ZWEI")
        page.keyboard.press("Enter")
        shown(page.locator("tbody tr")).to_have_count(1)
        shown(page.locator("tbody")).to_contain_text("kanari-two@example.org")
        self.clean(page)

    def test_a_file_is_compared_for_no_purpose_but_the_one_that_people_say(self):
        """A table without a purpose of its own, a token of all purposes: the comparison stands in the ledger under one."""
        fields = [{"name": "mail", "title": "E-Mail", "type": "email", "personal": True, "class": "customer"},
                  {"name": "town", "title": "Ort", "type": "text", "personal": True, "class": "customer"}]
        expect(self.s.request("PUT", "/v1/record-types/unmeant", {"title": {"de": "Ungewidmet"}, "subject": {"mode": "match", "fields": ["mail"]},
                                                                  "fields": fields, "form": [["mail"], ["town"]]}), 201)
        token = self.token()
        record = expect(self.s.request("POST", "/v1/record-types/unmeant/records", {"values": {"mail": "kanari-un@example.org", "town": "Bonn"}},
                                       token=token, purpose=PURPOSE), 201).json["record"]
        page = self.signed_in("/app/import", token=token)
        asked = []
        page.on("request", lambda r: asked.append(r.headers.get("siegel-purpose")) if r.method == "POST" and "/v1/imports" in r.url else None)
        page.select_option("#into", "unmeant")
        file = {"name": "orte.csv", "mimeType": "text/csv", "buffer": f"E-Mail;Ort\nkanari-un@example.org;{CANARY}stadt\n".encode()}
        page.set_input_files("input[type=file]", file)
        shown(page.get_by_role("alert")).to_contain_text("Für welchen Zweck?")
        self.assertEqual(asked, [])
        page.select_option("#under", PURPOSE)
        shown(page.locator("header .purpose select")).to_have_value(PURPOSE)
        page.set_input_files("input[type=file]", file)
        shown(page.locator("[aria-labelledby=changes] tbody tr").first).to_contain_text(f"{CANARY}stadt")
        page.get_by_role("button", name="Übernehmen", exact=True).click()
        shown(page.locator("#outcome")).to_have_text("Übernommen")
        self.assertEqual(set(asked), {PURPOSE})
        now = expect(self.s.request("GET", f"/v1/records/{record}", token=token, purpose=PURPOSE), 200).json["values"]
        self.assertEqual(now["town"], f"{CANARY}stadt")
        self.clean(page)

    def test_columns_without_a_title_are_left_out_where_people_say_so(self):
        page = self.signed_in("/app/import")
        page.select_option("#into", "contacts")
        rows = "".join(f"{i};{CANARY} {i};;kanari-far{i}@example.org\n" for i in range(1001))
        file = f";Name;;E-Mail\n{rows};{CANARY} fern;remark;kanari-far@example.org\n"
        page.set_input_files("input[type=file]", {"name": "fern.csv", "mimeType": "text/csv", "buffer": file.encode()})
        shown(page.locator("#preview")).to_have_text("fern.csv")
        self.assertEqual(page.locator(".counts dd").all_inner_texts()[0], "1.001")
        third = page.locator("table.columns tbody tr").nth(2)
        shown(third).to_contain_text("1 von 1.002 ausgefüllt")
        shown(third.locator("select option:checked")).to_contain_text("noch offen")
        shown(page.locator(".kept")).to_contain_text("keine Überschrift steht über dieser Zelle")
        third.locator("select").select_option("")
        shown(page.locator(".kept")).to_have_count(0)
        shown(third.locator("select option:checked")).to_have_text("wird nicht übernommen")
        self.assertEqual(page.locator(".counts dd").all_inner_texts(), ["1.002", "0", "0", "0"])
        page.get_by_role("button", name="Verwerfen").click()
        self.clean(page)

    def test_a_conflict_loses_nothing(self):
        page = self.signed_in(f"/app/records/{self.last}")
        page.click("#edit")
        page.fill("#field-name", f"{CANARY} mine")
        theirs = {"values": {"name": f"{CANARY} theirs", "e-mail": "kanari-theirs@example.org"}}
        expect(self.s.request("PATCH", f"/v1/records/{self.last}", theirs, token=self.s.tokens["editor"]), 200)
        page.click("form.record .button")
        conflict = page.get_by_role("alertdialog")
        shown(conflict).to_contain_text(f"{CANARY} theirs")
        shown(conflict).to_contain_text(f"{CANARY} mine")
        self.look(page, "conflict-de-wide")
        page.get_by_role("button", name="Meine Eingaben speichern").click()
        shown(page.get_by_role("heading", level=1)).to_have_text(f"{CANARY} mine")
        stored = self.s.request("GET", f"/v1/records/{self.last}", token=self.s.tokens["editor"]).json["values"]
        self.assertEqual((stored["name"], stored["e-mail"]), (f"{CANARY} mine", "kanari-theirs@example.org"))

    def test_a_conflict_stores_nothing_that_cannot_be_meant(self):
        def patch(values):
            expect(self.s.request("PATCH", f"/v1/records/{self.last}", {"values": values}, token=self.s.tokens["editor"]), 200)

        patch({"revenue": "10.5"})
        page = self.signed_in(f"/app/records/{self.last}")
        page.click("#edit")
        page.fill("#field-name", f"{CANARY} mine again")
        patch({"e-mail": "kanari-faster@example.org"})
        page.click("form.record .button")
        conflict = page.get_by_role("alertdialog")
        shown(conflict).to_be_visible()
        page.fill("#field-revenue", "1.000")  # a thousand, or one
        page.get_by_role("button", name="Meine Eingaben speichern").click()
        shown(page.locator("#field-revenue-wrong")).to_be_visible()
        shown(conflict).to_be_visible()
        page.fill("#field-revenue", "7,25")
        page.get_by_role("button", name="Meine Eingaben speichern").click()
        shown(page.get_by_role("heading", level=1)).to_have_text(f"{CANARY} mine again")
        stored = self.s.request("GET", f"/v1/records/{self.last}", token=self.s.tokens["editor"]).json["values"]
        self.assertEqual((stored["revenue"], stored["e-mail"]), ("7.25", "kanari-faster@example.org"))

    def test_a_form_is_arranged_by_keys_and_by_drag(self):
        def stored():
            return self.s.request("GET", "/v1/record-types/arranged").json

        fields = [{"name": n, "title": n.upper(), "type": "text", "personal": False, "class": "customer"} for n in ("one", "two", "three", "four")]
        expect(self.s.request("PUT", "/v1/record-types/arranged", {"subject": {"mode": "none"}, "fields": fields,
                                                                    "form": [["one"], ["two", "three"], ["four"]]}), 201)
        high = {"width": 1280, "height": 1400}  # a drag here is one move, without scrolling
        page = self.signed_in("/app/types/arranged/form", token=self.s.token, size=high)
        cards = page.locator(".arranged > li")
        shown(cards).to_have_count(4)
        cards.nth(3).locator("input[type=checkbox]").first.focus()
        page.keyboard.press("Alt+ArrowUp")
        shown(cards.nth(2)).to_contain_text("FOUR")
        shown(page.locator(".said")).to_contain_text("FOUR: Platz 3 von 4")
        page.keyboard.press("Enter")  # the focus is on the arrow
        shown(cards.nth(1)).to_contain_text("FOUR")
        cards.nth(0).get_by_label("Pflicht").check()
        cards.nth(0).get_by_label("Hilfe zum Feld").fill("Ein Satz dazu")
        cards.nth(1).get_by_label("Überschrift darüber").fill("Was noch fehlt")
        shown(page.locator(".mock").get_by_role("group", name="Was noch fehlt")).to_contain_text("FOUR")
        shown(page.locator(".mock")).to_contain_text("Ein Satz dazu")
        cards.nth(3).locator(".grip").drag_to(cards.nth(0))
        shown(cards.nth(0)).to_contain_text("THREE")
        page.get_by_role("button", name="Speichern").click()
        page.wait_for_url("**/app/")
        now = stored()
        self.assertEqual(now["form"], [["three"], ["one"], ["four"], ["two"]])
        one = next(f for f in now["fields"] if f["name"] == "one")
        self.assertEqual((one["required"], one["help"]), (True, "Ein Satz dazu"))
        self.assertEqual({f["name"]: f.get("section") for f in now["fields"]}, {"one": None, "two": None, "three": None, "four": "Was noch fehlt"})
        self.assertEqual([f["name"] for f in now["fields"]], ["one", "two", "three", "four"])
        self.clean(page)

    def test_a_form_has_sections(self):
        """A heading stays above what is left of its section where the purpose covers only some of its fields."""
        fields = [{"name": n, "title": n.upper(), "type": "text", "personal": False, "class": "customer"} for n in ("one", "two", "three", "four")]
        fields[1]["section"], fields[3]["section"] = "Anschrift", "Leer & weg"
        expect(self.s.request("PUT", "/v1/record-types/headed", {"title": {"de": "Mit Abschnitten"}, "subject": {"mode": "none"}, "fields": fields,
                                                                  "default_purpose": PURPOSE, "form": [["four"], ["one"], ["two"], ["three"]]}), 201)
        expect(self.s.request("PUT", "/v1/purposes/abschnitte", {"legal_ground": "contract", "title": {"de": "Abschnitte", "en": "Sections"},
                                                                 "fields": {"headed": ["one", "three"]}}), 201)
        token = self.token()
        record = expect(self.s.request("POST", "/v1/record-types/headed/records", {"values": {n: f"{CANARY} {n}" for n in ("one", "two", "three")}},
                                       token=token, purpose=PURPOSE), 201).json["record"]
        page = self.signed_in(f"/app/records/{record}?purpose={PURPOSE}", token=token)
        shown(page.locator("h2.section")).to_have_text(["Leer & weg", "Anschrift"])
        self.assertEqual(page.locator(".details dt").all_inner_texts(), ["FOUR", "ONE", "TWO", "THREE"])
        self.look(page, "sections-de-wide")
        page.get_by_role("button", name="Bearbeiten").click()
        shown(page.get_by_role("group", name="Anschrift").get_by_label("TWO")).to_have_value(f"{CANARY} two")
        self.look(page, "sections-form-de-wide")
        self.look(self.signed_in(f"/app/records/{record}?purpose={PURPOSE}", token=token, size=PHONE), "sections-de-phone")
        limited = self.signed_in(f"/app/records/{record}?purpose=abschnitte", token=token)
        shown(limited.locator("h2.section")).to_have_text(["Leer & weg", "Anschrift"])
        self.assertEqual(limited.locator(".details dt").all_inner_texts(), ["ONE", "THREE"])
        self.clean(page)

    def test_purposes_and_classes_are_made_and_not_overwritten(self):
        page = self.signed_in("/app/rules", token=self.s.tokens["privacy_officer"])
        page.fill("#purpose-title", "Mahnwesen & Inkasso")
        page.click("form:has(#purpose-title) button")
        shown(page.locator(".rules").first).to_contain_text("Mahnwesen & Inkasso")
        self.assertEqual(self.s.request("GET", "/v1/purposes/mahnwesen-inkasso").json["legal_ground"], "contract")
        page.fill("#class-title", "Bewerbung: sechs Monate")
        page.fill("#class-count", "6")
        page.select_option("select[name=unit]", "M")
        page.select_option("#class-start", "end_of_case")
        page.uncheck("input[name=year]")
        page.click("form:has(#class-title) button")
        shown(page.locator(".rules").last).to_contain_text("6 Monate, ab Ende des Vorgangs")
        stored = self.s.request("GET", "/v1/deletion-classes/bewerbung-sechs-monate").json
        self.assertEqual((stored["period"], stored["start"]), ("P6M", "end_of_case"))
        self.clean(page)
        page.fill("#class-title", "Customer")  # is there already
        page.click("form:has(#class-title) button")
        shown(page.get_by_role("alert")).to_be_visible()
        self.assertEqual(self.s.request("GET", "/v1/deletion-classes/customer").json["version"], 1)

    def test_unsaved_input_is_asked_about(self):
        page = self.signed_in(f"/app/records/{self.last}")
        page.click("#edit")
        page.click("header .brand")  # nothing was changed yet
        page.wait_for_url("**/app/")
        page.click(".cards a")
        page.click("tbody tr:first-child a")
        page.click("#edit")
        page.fill("#field-name", f"{CANARY} unsaved")
        page.click("header .brand")
        page.get_by_role("button", name="Weiter bearbeiten").click()
        self.assertEqual(page.input_value("#field-name"), f"{CANARY} unsaved")
        page.click("header .brand")
        page.get_by_role("button", name="Verwerfen").click()
        page.wait_for_url("**/app/")
        self.clean(page)

    def test_the_language_is_switched_and_kept(self):
        page = self.signed_in("/app/types/contacts")
        shown(page.get_by_role("heading", level=1)).to_have_text("Kontakte")
        page.get_by_role("button", name="English").click()
        shown(page.get_by_role("heading", level=1)).to_have_text("Contacts")
        page.reload()
        shown(page.get_by_role("heading", level=1)).to_have_text("Contacts")
        self.assertEqual(page.get_attribute("html", "lang"), "en")
        self.clean(page)

    def test_what_the_server_does_not_serve_or_the_role_may_not_is_not_shown(self):
        serves = json.loads(self.signed_in().evaluate(
            "fetch('/app/session', {headers: {'Siegel-Page': '1'}}).then((a) => a.text())"))["serves"]
        page = self.signed_in("/app/types/contacts")
        page.wait_for_selector("tbody tr")
        self.assertEqual(page.locator("form.search").count(), 1 if serves["search"] else 0)
        self.assertEqual(page.locator("a[href='/app/import']").count(), 1 if serves["imports"] else 0)
        page = self.signed_in(f"/app/records/{self.last}", token=self.s.tokens["privacy_officer"])
        page.wait_for_selector(".timeline > li")
        self.assertEqual(page.locator("#edit").count(), 0)
        page = self.signed_in(token=self.s.tokens["auditor"])
        shown(page.locator("main")).to_contain_text("liest keine Datensätze")

    def test_what_is_erased_and_what_is_not_allowed_is_said(self):
        values = {"values": {"name": f"{CANARY} gone", "e-mail": "kanari-gone@example.org"}}
        gone = expect(self.s.request("POST", RECORDS, values, token=self.s.tokens["editor"]), 201).json
        subject = expect(self.s.request("GET", f"/v1/records/{gone['record']}", token=self.s.tokens["privacy_officer"]), 200).json["subject"]
        page = self.signed_in(f"/app/types/contacts/records/{gone['record']}", token=self.s.tokens["privacy_officer"])
        shown(page.locator(".commands")).to_contain_text(f"siegel erase --subject {subject}")  # what she does today with the command line
        self.look(page, "record-officer-de-wide")
        erasure = expect(erase(self.s, subject), 201).json["erasure"]
        for role, when in (("editor", 0), ("privacy_officer", 1)):
            page = self.signed_in(f"/app/types/contacts/records/{gone['record']}", token=self.s.tokens[role])
            shown(page.get_by_role("heading", level=1)).to_have_text("Diese Daten sind gelöscht")
            shown(page.locator("main")).to_contain_text(erasure)
            shown(page.get_by_text("Einwilligung widerrufen")).to_have_count(when)
            self.look(page, f"erased-{role}-de-wide")
            self.clean(page, refused=1)
        fields = [{"name": "one", "title": "Eins", "type": "text", "personal": False, "class": "customer"}]
        expect(self.s.request("PUT", "/v1/record-types/foreign", {"title": {"de": "Fremdes"}, "subject": {"mode": "none"}, "default_purpose": PURPOSE,
                                                                   "fields": fields, "form": [["one"]]}), 201)
        foreign = expect(self.s.request("POST", "/v1/record-types/foreign/records", {"values": {"one": "1"}}, token=self.token(), purpose=PURPOSE), 201).json["record"]
        for path, role, title, text in (("/app/types/foreign", "editor", "Dazu fehlt ein Recht", "Er gilt für: Kontakte"),
                                        (f"/app/records/{foreign}", "editor", "Dazu fehlt ein Recht", "gilt für: Kontakte"),
                                        ("/app/access", "editor", "Dazu fehlt ein Recht", "die Rolle Verwaltung; Ihr Zugangsschlüssel hat die Rolle Bearbeitung"),
                                        ("/app/types/nothing", "editor", "Diese Tabelle gibt es nicht", "nothing"),
                                        ("/app/records/re_AAAAAAAAAAAAAAAAAAAAAA", "editor", "Diesen Datensatz gibt es nicht", "entfernt"),
                                        ("/app/types/contacts", "auditor", "Dazu fehlt ein Recht", "Bearbeitung, Datenschutz oder Versand")):
            page = self.signed_in(path, token=self.s.tokens[role])
            shown(page.get_by_role("heading", level=1)).to_have_text(title)
            shown(page.locator("main")).to_contain_text(text)
            self.look(page, "no-right-de-wide")
            self.clean(page, refused=1 if "/records/" in path else 0)

    def test_what_the_pages_do_not_do_yet_names_the_command(self):
        for language, size in (("de", WIDE), ("en", PHONE)):
            for role, command in (("auditor", "export-log"), ("privacy_officer", "subject history su_"), ("admin", "siegel token create")):
                page = self.signed_in("/app/access" if role == "admin" else "/app/", token=self.s.tokens.get(role, self.s.token), language=language, size=size)
                shown(page.locator(".commands")).to_contain_text(command)
                self.look(page, f"commands-{role}-{language}-{'phone' if size == PHONE else 'wide'}")
                if role == "auditor":  # no card that looks as if it could be opened
                    self.assertEqual(page.locator(".cards").count(), 0)
                self.clean(page)

    def test_too_many_wrong_tokens_says_when_to_try_again(self):
        s = Siegel(BINARY)
        with s:
            s.init().serve()
            page = self.browser.new_page(locale="de")
            self.addCleanup(page.close)
            page.goto(f"http://127.0.0.1:{s.port}/")
            for _ in range(12):
                page.fill("#token", "sgl_wrong")
                with page.expect_response("**/app/session") as answer:
                    page.keyboard.press("Enter")
                if answer.value.status == 429:
                    break
                shown(page.get_by_role("alert")).to_be_visible()
            shown(page.get_by_role("alert")).to_contain_text("Wieder möglich in 60 Sekunden.")
            self.assertEqual(s.stop(), 0)

    def test_what_is_wide_or_long_shows_that_it_goes_on(self):
        fields = [{"name": f"column-{i}", "title": f"Kundennummer {i}", "type": "text", "personal": False, "class": "customer"} for i in range(14)]
        expect(self.s.request("PUT", "/v1/record-types/wide", {"title": {"de": "Breit"}, "subject": {"mode": "none"}, "default_purpose": PURPOSE,
                                                                "fields": fields, "form": [[f["name"]] for f in fields]}), 201)
        token = self.token()
        expect(self.s.request("POST", "/v1/record-types/wide/records", {"values": {f["name"]: "ein Wert" for f in fields}}, token=token, purpose=PURPOSE), 201)
        page = self.signed_in("/app/types/wide", token=token)
        shown(page.get_by_text("Weitere Spalten")).to_be_visible()
        self.look(page, "wide-de-wide")
        page.goto(f"http://127.0.0.1:{self.s.port}/app/types/contacts")
        page.wait_for_selector("tbody tr")
        shown(page.get_by_text("Weitere Spalten")).to_be_hidden()
        page.goto(f"http://127.0.0.1:{self.s.port}/app/types/wide/form")
        page.wait_for_selector(".arranged li")
        shown(page.get_by_role("button", name="Speichern")).to_be_in_viewport()
        cut = "(e) => e.scrollHeight > e.clientHeight + 1"
        self.assertFalse(page.locator(".sticky").evaluate(cut))
        self.look(page, "arrange-long-de-wide")
        phone = self.signed_in("/app/types/wide/form", token=token, size=PHONE)
        title = phone.locator(".arranged .strong").first
        title.evaluate("(e) => { e.textContent = 'Kundennummer'; }")
        shown(title).to_be_visible()
        self.assertLess(title.bounding_box()["height"], 30)  # on one line
        self.look(phone, "arrange-long-de-phone")
        phone.goto(f"http://127.0.0.1:{self.s.port}/app/types/contacts")
        phone.wait_for_selector("tbody tr")
        self.assertGreater(phone.locator("td[data-label='E-Mail'] wbr").count(), 30)  # an address is broken at its @

    def test_a_session_that_ends_leads_to_the_door(self):
        made = self.s.request("POST", "/v1/tokens", {"role": "editor", "purposes": [PURPOSE], "types": ["contacts"]}).json
        page = self.signed_in("/app/types/contacts", token=made["token"])
        page.wait_for_selector("tbody tr")
        expect(self.s.request("DELETE", f"/v1/tokens/{made['token_id']}"), 204)
        page.click("tbody tr:first-child a")
        shown(page.locator("#token")).to_be_visible()
        shown(page.locator("main")).to_contain_text("Die Sitzung ist zu Ende")
        page = self.signed_in()
        page.get_by_role("button", name="Abmelden").click()
        shown(page.locator("#token")).to_be_visible()
        page.goto(f"http://127.0.0.1:{self.s.port}/app/types/contacts")
        shown(page.locator("#token")).to_be_visible()

    def token(self):
        return expect(self.s.request("POST", "/v1/tokens", {"role": "editor", "all_purposes": True, "all_types": True}), 201).json["token"]

    def name_of(self, record):
        return expect(self.s.request("GET", f"/v1/records/{record}", token=self.s.tokens["editor"]), 200).json["values"]["name"]

    def test_a_late_answer_is_never_shown_as_another_record_nor_saved_into_it(self):
        page = self.signed_in("/app/types/contacts")
        page.wait_for_selector("tbody tr")
        paths = [page.locator("tbody tr a").nth(i).get_attribute("href") for i in (3, 4)]
        one, other = (path.rsplit("/", 1)[1] for path in paths)
        name_of_one, name_of_other = self.name_of(one), self.name_of(other)
        heading = page.get_by_role("heading", level=1)
        page.click(f"a[href='{paths[0]}']")
        shown(heading).to_have_text(name_of_one)
        page.evaluate(LATE, f"/v1/records/{other}")
        page.click(".crumb a")
        page.click(f"a[href='{paths[1]}']")
        page.wait_for_function("window.late !== undefined")
        page.evaluate("history.go(-2)")
        shown(heading).to_have_text(name_of_one)
        page.evaluate("late()")
        self.assertEqual(heading.inner_text(), name_of_one)
        page.click("#edit")
        self.assertEqual(page.input_value("#field-name"), name_of_one)
        page.fill("#field-name", f"{CANARY} changed")
        page.click("form.record .button")
        shown(heading).to_have_text(f"{CANARY} changed")
        self.assertEqual((self.name_of(one), self.name_of(other)), (f"{CANARY} changed", name_of_other))
        self.clean(page)

    def test_a_save_that_is_answered_late_leaves_the_record_in_view_alone(self):
        page = self.signed_in("/app/types/contacts")
        page.wait_for_selector("tbody tr")
        paths = [page.locator("tbody tr a").nth(i).get_attribute("href") for i in (5, 6)]
        one, other = (path.rsplit("/", 1)[1] for path in paths)
        heading = page.get_by_role("heading", level=1)
        page.click(f"a[href='{paths[1]}']")
        shown(heading).to_have_text(self.name_of(other))
        page.click(".crumb a")
        page.click(f"a[href='{paths[0]}']")
        page.click("#edit")
        page.fill("#field-name", f"{CANARY} saved late")
        page.evaluate(LATE, f"/v1/records/{one}")
        page.click("form.record .button")
        page.wait_for_function("window.late !== undefined")
        page.evaluate("history.go(-2)")
        shown(heading).to_have_text(self.name_of(other))
        page.click("#edit")
        page.fill("#field-name", f"{CANARY} being typed")
        page.evaluate("late()")
        self.assertEqual(page.input_value("#field-name"), f"{CANARY} being typed")
        self.assertEqual(self.name_of(one), f"{CANARY} saved late")
        page.click("form.record .button")
        shown(heading).to_have_text(f"{CANARY} being typed")
        self.clean(page)

    def test_a_late_answer_to_another_purpose_is_not_shown_and_input_is_asked_about(self):
        page = self.signed_in(f"/app/types/contacts/records/{self.last}", token=self.token())
        shown(page.locator(".details")).to_contain_text("31.01.1970")
        page.evaluate(LATE, f"/v1/records/{self.last}")
        page.select_option(".purpose select", "newsletter")
        page.wait_for_function("window.late !== undefined")
        page.select_option(".purpose select", PURPOSE)
        shown(page.locator(".details")).to_contain_text("31.01.1970")
        page.evaluate("late()")
        self.assertIn("31.01.1970", page.locator(".details").inner_text())
        page.click("#edit")
        page.fill("#field-name", f"{CANARY} unsaved")
        page.select_option(".purpose select", "newsletter")
        page.get_by_role("button", name="Weiter bearbeiten").click()
        self.assertEqual(page.input_value(".purpose select"), PURPOSE)
        self.assertEqual(page.input_value("#field-name"), f"{CANARY} unsaved")
        self.clean(page)

    def test_signed_out_is_said_when_it_is_so_and_in_every_tab(self):
        page = self.signed_in("/app/types/contacts")
        page.wait_for_selector("tbody tr")
        other = self.tab(page.context, "/app/types/contacts")
        other.wait_for_selector("tbody tr")
        page.route("**/app/session", lambda route: route.abort() if route.request.method == "DELETE" else route.continue_())
        page.get_by_role("button", name="Abmelden").click()
        shown(page.get_by_role("alert")).to_contain_text("Sie sind noch angemeldet")
        self.look(page, "not-signed-out-de-wide")
        self.assertEqual(page.locator("#token").count(), 0)
        self.assertNotIn("Abgemeldet", page.locator("body").inner_text())
        page.unroute("**/app/session")
        page.get_by_role("button", name="Noch einmal").click()
        for tab in (page, other):
            shown(tab.locator("#token")).to_be_visible()
            shown(tab.locator("main")).to_contain_text("Abgemeldet.")
            self.assertNotIn("anari", tab.content())
        page.reload()
        shown(page.locator("#token")).to_be_visible()
        page.fill("#token", self.s.tokens["editor"])
        page.keyboard.press("Enter")
        shown(other.locator("tbody tr").first).to_be_visible()  # signed in again, it is so in all tabs too
        self.clean(page, refused=1)
        self.clean(other)

    def test_what_is_shown_goes_when_the_session_has_ended_by_itself(self):
        page = self.signed_in("/app/types/contacts", clock=True)
        page.wait_for_selector("tbody tr")
        clock = page.context.clock
        other = self.tab(page.context, "/app/types/contacts")
        other.wait_for_selector("tbody tr")
        clock.fast_forward("25:00")
        other.click("tbody tr:first-child a")
        other.wait_for_selector(".timeline > li")
        clock.fast_forward("25:00")  # the other tab has asked meanwhile
        self.assertEqual((page.locator("tbody tr").count(), other.locator(".details").count()), (50, 1))
        clock.fast_forward("10:00")
        for tab in (page, other):
            shown(tab.locator("#token")).to_be_visible()
            shown(tab.locator("main")).to_contain_text("Die Sitzung ist zu Ende")
            self.assertNotIn("anari", tab.content())
            self.clean(tab)

    def test_a_search_takes_each_kind_of_value_as_the_page_shows_it(self):
        kinds = {"text": "text", "paid": "boolean", "since": "date", "sum": "decimal", "count": "integer", "kind": "choice", "tags": "multichoice",
                 "at": "datetime"}
        fields = [{"name": n, "title": n, "type": k, "personal": False, "searchable": True, "class": "customer",
                   **({"choices": ["A", "B"]} if "choice" in k else {})} for n, k in kinds.items()]
        expect(self.s.request("PUT", "/v1/record-types/searched", {"subject": {"mode": "none"}, "default_purpose": PURPOSE, "fields": fields,
                                                                    "form": [[n] for n in kinds]}), 201)
        token = self.token()
        hit = {"text": "Müller", "paid": True, "since": "1980-02-01", "sum": "12.50", "count": "7", "kind": "A", "tags": ["A"], "at": "2026-05-01T10:30:12Z"}
        miss = {"text": "Meier", "paid": False, "since": "1980-02-02", "sum": "12.5", "count": "70", "kind": "B", "tags": ["B"], "at": "2026-05-01T10:31:00Z"}
        for values in (hit, miss):
            expect(self.s.request("POST", "/v1/record-types/searched/records", {"values": values}, token=token, purpose=PURPOSE), 201)
        wait_for_index(self.s)
        for language in ("de", "en"):
            page = self.signed_in("/app/types/searched", token=token, language=language)
            shown(page.locator("tbody tr")).to_have_count(2)
            value = page.locator("form.search [name=value]")

            def search(field, what):
                page.select_option("form.search [name=field]", field)
                if value.evaluate("(e) => e.tagName") == "SELECT":
                    value.select_option(what)
                else:
                    value.fill(what)
                page.click("form.search .button")

            row = page.locator("tbody tr")
            for field, what in (("text", "mue"), ("paid", "true"), ("since", "01.02.1980" if language == "de" else "1980-02-01"), ("sum", "12,50" if language == "de" else "12.50"),
                                ("count", "7"), ("kind", "A"), ("tags", "A"), ("at", "01.05.2026, 12:30" if language == "de" else "2026-05-01 12:30")):
                search(field, what)
                shown(page.get_by_role("status").filter(has_text="1 Treffer" if language == "de" else "1 result")).to_be_visible()
                shown(row).to_have_count(1)
                shown(row).to_contain_text("Müller")
                page.click("form.search .quiet")
                shown(row).to_have_count(2)
            self.look(page, f"search-{language}-wide")
            search("paid", "false")
            shown(row).to_have_count(1)
            shown(row).to_contain_text("Meier")
            search("text", "m")
            shown(row).to_have_count(2)
            heading = page.get_by_role("columnheader", name="since")
            for order, first in (("ascending", "Müller"), ("descending", "Meier"), (None, None)):
                heading.get_by_role("button").click()
                if order is None:
                    shown(page.locator("[aria-sort]")).to_have_count(0)
                    continue
                shown(heading).to_have_attribute("aria-sort", order)
                shown(heading.get_by_role("button")).to_be_focused()
                shown(row.first).to_contain_text(first)
                self.look(page, f"search-sorted-{language}-wide")
            search("sum", "12,505" if language == "de" else "12.505")
            shown(page.locator(".empty")).to_contain_text("der ganze Wert" if language == "de" else "whole value")
            search("sum", "1.234,50")  # could be two numbers
            shown(page.locator("#search-wrong")).to_be_visible()
            self.assertEqual(page.locator(".empty").count(), 0)  # that was said of another search
            self.look(page, f"search-wrong-{language}-wide")
            page.click("form.search .quiet")
            shown(row).to_have_count(2)
            self.assertEqual(page.input_value("form.search [name=field]"), "text")
            self.clean(page)

    def test_a_token_made_by_the_page_goes_with_its_session_and_browsers_are_not_told_to_keep_one(self):
        page = self.open()
        self.assertEqual(page.get_attribute("#token", "autocomplete"), "off")
        before = {one["token_id"] for one in self.s.request("GET", "/v1/tokens?limit=200").json["items"]}
        page.fill("#token", self.s.token)
        page.keyboard.press("Enter")
        page.click(".seal button")
        shown(page.locator(".seal button")).to_have_count(0)  # the page is the editor's now
        page.wait_for_selector(".cards a")

        def made():
            return [one["revoked"] for one in self.s.request("GET", "/v1/tokens?limit=200").json["items"] if one["token_id"] not in before]

        self.assertEqual(made(), [False])
        page.get_by_role("button", name="Abmelden").click()
        shown(page.locator("#token")).to_be_visible()
        end = time.monotonic() + 20
        while made() != [True] and time.monotonic() < end:
            time.sleep(0.05)
        self.assertEqual(made(), [True])
        self.clean(page)


if __name__ == "__main__":
    if "--pictures" in sys.argv:
        at = sys.argv.index("--pictures")
        PICTURES = sys.argv[at + 1]
        del sys.argv[at:at + 2]
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
