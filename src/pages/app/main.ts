// The frame around every page: who is signed in, where one is, what was said last.
import { html, nothing } from "lit";
import "./sign-in.js";
import "./types.js";
import "./records.js";
import "./record.js";
import "./access.js";
import "./arrange.js";
import "./imports.js";
import "./rules.js";
import { ask, Latest, newVisit, Problem, whenSessionIsOver, type Session, type Type, type Welcome } from "./api.js";
import { choose, language, titled, type Language } from "./language.js";
import { Part, define, go, mayLeave, problemBox, waiting } from "./parts.js";
import { roles, State, tables } from "./state.js";
import { Tabs, type Told } from "./tabs.js";
import { named, t } from "./texts.js";

interface Place {
  page: "home" | "records" | "record" | "new" | "arrange" | "import" | "rules" | "access" | "nowhere";
  type?: string;
  id?: string;
}

function place(path: string): Place {
  const parts = path.split("/").filter(Boolean).slice(1);
  const [first, second, third] = parts;
  if (first === undefined) return { page: "home" };
  if (first === "types" && second && third === undefined) return { page: "records", type: second };
  if (first === "types" && second && third === "new" && parts.length === 3) return { page: "new", type: second };
  if (first === "types" && second && third === "form" && parts.length === 3) return { page: "arrange", type: second };
  if (first === "types" && second && third === "records" && parts[3] && parts.length === 4) return { page: "record", type: second, id: parts[3] };
  if (first === "records" && second && third === undefined) return { page: "record", id: second };
  if (first === "import" && second === undefined) return { page: "import" };
  if (first === "rules" && second === undefined) return { page: "rules" };
  if (first === "access" && second === undefined) return { page: "access" };
  return { page: "nowhere" };
}

class App extends Part {
  static override properties = { state: { state: true }, path: { state: true }, problem: { state: true }, said: { state: true }, ready: { state: true }, note: { state: true }, stays: { state: true } };
  declare private state: State | null;
  declare private path: string;
  declare private problem: Problem | null;
  declare private said: string;
  declare private ready: boolean;
  declare private note: string;
  declare private stays: Problem | null; // signing out did not work
  private quiet = 0;
  private readonly visit = new Latest();
  private readonly tabs = new Tabs((by) => this.told(by), () => this.leave(t("session_over")));

  constructor() {
    super();
    this.state = null;
    this.path = location.pathname;
    this.problem = this.stays = null;
    this.said = "";
    this.ready = false;
    this.note = "";
    window.addEventListener("popstate", () => this.arrive());
    window.addEventListener("siegel-go", () => this.arrive());
    window.addEventListener("siegel-say", (event) => this.say((event as CustomEvent<string>).detail));
    this.addEventListener("click", (event) => this.follow(event));
    window.addEventListener("siegel-signed-in", (event) => this.signedIn((event as CustomEvent<Welcome>).detail));
    whenSessionIsOver(() => this.leave(t("session_over"), { what: "left", signedOut: false }));
    void this.begin();
  }

  private async begin(given?: Welcome): Promise<void> {
    const signal = this.visit.next();
    newVisit();
    this.problem = null;
    try {
      const welcome = given ?? (await ask<Welcome>("/app/session", { signal }));
      if (signal.aborted) return;
      if (welcome.session) await this.enter(welcome as Welcome & { session: Session }, signal);
      else this.tabs.tell({ what: "left", signedOut: false });
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = this.caught(failure);
    }
    if (!signal.aborted) this.ready = true;
  }

  private async enter(welcome: Welcome & { session: Session }, signal: AbortSignal): Promise<void> {
    const state = new State(welcome);
    await state.load();
    if (signal.aborted) return;
    this.state = state;
    this.takePurpose();
    this.note = "";
    this.tabs.begin(welcome.idle_s ?? 0);
    if (!location.pathname.startsWith("/app")) go("/app/", "replace");
  }

  private signedIn(welcome: Welcome): void {
    if (welcome.session) this.tabs.tell({ what: "entered", token: welcome.session.token_id });
    void this.begin(welcome);
  }

  // Nothing of the session stays: neither on the screen nor of what is still under way.
  private leave(note: string, tell?: Told): void {
    this.visit.next();
    newVisit();
    this.tabs.end();
    this.state = this.problem = this.stays = null;
    this.said = "";
    this.note = note;
    this.ready = true;
    if (tell) this.tabs.tell(tell);
  }

  // Another tab: the cookie is this one's too.
  private told(by: Told): void {
    if (by.what === "left" && (this.state || !this.ready)) this.leave(by.signedOut ? t("signed_out") : t("session_over"));
    if (by.what !== "entered" || by.token === this.state?.session.token_id) return;
    this.leave("");
    this.ready = false;
    void this.begin();
  }

  private async signOut(): Promise<void> {
    this.stays = null;
    try {
      await ask("/app/session", { method: "DELETE" });
    } catch (failure) {
      const why = this.caught(failure);
      this.stays = new Problem(why.status, why.code, `${t("signed_out_not")} ${why.message}`, why.requestId);
      return;
    }
    this.leave(t("signed_out"), { what: "left", signedOut: true });
    go("/", "replace");
  }

  // A record's address says for which purpose it is looked at.
  private takePurpose(): void {
    const purpose = new URLSearchParams(location.search).get("purpose");
    if (purpose) this.state?.choosePurpose(purpose);
  }

  private arrive(): void {
    this.path = location.pathname;
    this.takePurpose();
    window.scrollTo(0, 0);
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("main")?.focus({ preventScroll: true }));
  }

  // Links of ours stay in this document.
  private follow(event: MouseEvent): void {
    const link = (event.target as Element).closest("a");
    if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !url.pathname.startsWith("/app") || url.hash || link.hasAttribute("download")) return;
    event.preventDefault();
    go(url.pathname + url.search);
  }

  private say(text: string): void {
    this.said = text;
    clearTimeout(this.quiet);
    this.quiet = window.setTimeout(() => (this.said = ""), 6000);
  }

  private speak(chosen: Language): void {
    choose(chosen);
    this.requestUpdate();
    for (const part of this.querySelectorAll<Part>("[data-page]")) part.requestUpdate();
  }

  protected override updated(): void {
    document.title = this.state ? `${this.title_()} · Siegel` : "Siegel";
  }

  private title_(): string {
    const at = place(this.path);
    if (at.page === "records" || at.page === "new" || at.page === "arrange") return titled(this.state?.type(at.type ?? "")?.title, at.type ?? "");
    if (at.page === "record") return t("record");
    if (at.page === "access" || at.page === "rules") return t(at.page);
    if (at.page === "import") return t("import");
    return at.page === "home" ? t("records") : t("not_found");
  }

  protected override render() {
    const at = place(this.path);
    // Until it is known which bar there will be there is none, so that nothing moves.
    if (!this.ready) return html`<main class="early">${waiting(6)}</main>`;
    return html`
      <a class="skip" href="#main" @click=${this.skip}>${t("skip")}</a>
      ${this.state ? this.bar(this.state, at) : this.smallBar()}
      <main id="main" tabindex="-1" class=${this.state ? "" : "front"}>
        ${problemBox(this.stays, () => void this.signOut())}
        ${this.problem
          ? problemBox(this.problem, () => void this.begin())
          : this.state
            ? this.page(this.state, at)
            : html`<siegel-sign-in data-page .note=${this.note}></siegel-sign-in>`}
      </main>
      <div class="said" role="status" aria-live="polite">${this.said ? html`<p>${this.said}</p>` : nothing}</div>
    `;
  }

  private skip(event: Event): void {
    event.preventDefault();
    this.querySelector<HTMLElement>("main")?.focus();
  }

  private page(state: State, at: Place) {
    const type = at.type === undefined ? undefined : state.type(at.type);
    switch (at.page) {
      case "home":
        return html`<siegel-types data-page .state=${state}></siegel-types>`;
      case "records":
        if (type && state.reads) return this.forPurpose(state, type, (purpose) => html`<siegel-records data-page .state=${state} .type=${type} .purpose=${purpose}></siegel-records>`);
        break;
      case "new":
        if (type && state.writes) return this.forPurpose(state, type, (purpose) => html`<siegel-record data-page .state=${state} .type=${type} .purpose=${purpose} .record=${""}></siegel-record>`);
        break;
      case "arrange":
        if (type && state.arranges) return html`<siegel-arrange data-page .state=${state} .type=${type}></siegel-arrange>`;
        break;
      case "record":
        if (state.reads && (type || !at.type)) return this.forPurpose(state, type, (purpose) => html`<siegel-record data-page .state=${state} .type=${type} .purpose=${purpose} .record=${at.id ?? ""}></siegel-record>`);
        break;
      case "import":
        if (state.imports) return html`<siegel-imports data-page .state=${state} .purpose=${state.purpose()} @siegel-purpose=${(e: CustomEvent<string>) => this.usePurpose(state, e.detail)}></siegel-imports>`;
        break;
      case "rules":
        if (state.rules) return html`<siegel-rules data-page .state=${state}></siegel-rules>`;
        break;
      case "access":
        if (state.administers) return html`<siegel-access data-page .state=${state}></siegel-access>`;
        break;
      case "nowhere":
        break;
    }
    const [title, help] = this.why(state, at);
    return html`<h1>${title}</h1><p class="soft">${help}</p><p><a class="button" href="/app/">${t("to_start")}</a></p>`;
  }

  // Why there is nothing to see: no such page, a table that the token does not carry, or a role that may not.
  private why(state: State, at: Place): [string, string] {
    if (at.type !== undefined && !state.type(at.type)) {
      const other = state.others.find((type) => type.name === at.type);
      if (!other) return [t("no_table"), t("no_table_help", { type: at.type })];
      return [t("no_right"), t("no_right_type", { type: titled(other.title, other.name), types: tables(state) })];
    }
    const needed: readonly string[] = { records: roles.reads, record: roles.reads, new: roles.writes, import: roles.writes, arrange: roles.arranges, rules: roles.rules, access: roles.administers, home: [], nowhere: [] }[at.page];
    if (!needed.length || needed.includes(state.session.role)) return [t("not_found"), t("not_found_help")];
    const names = new Intl.ListFormat(language(), { type: "disjunction" }).format(needed.map((role) => named("role_", role)));
    return [t("no_right"), t("no_right_role", { roles: names, role: named("role_", state.session.role) })];
  }

  // What is read under a purpose stands in the ledger under it: where none is meant before, people say which.
  private forPurpose(state: State, type: Type | undefined, page: (purpose: string) => unknown) {
    const purpose = state.purpose(type);
    if (purpose) return page(purpose);
    return html`<h1>${t("purpose_ask")}</h1><p class="soft">${state.purposes.length ? t("purpose_help") : t("purpose_none")}</p>
      <p class="row">${state.purposes.map((p) => html`<button type="button" class="quiet" @click=${() => this.usePurpose(state, p.name)}>${titled(p.title, p.name)}</button>`)}</p>`;
  }

  // ── bars ──

  private brand(href: string) {
    return html`<a class="brand" href=${href}><svg viewBox="0 0 32 32" aria-hidden="true"><path class="wax" d="M16 1.5l3 2.3 3.7-.6 1.4 3.5 3.5 1.4-.6 3.7L29.3 15l-2.3 3 .6 3.7-3.5 1.4-1.4 3.5-3.7-.6L16 28.3 13 26l-3.7.6-1.4-3.5-3.5-1.4.6-3.7L2.7 15 5 11.8l-.6-3.7 3.5-1.4 1.4-3.5 3.7.6z"/><path class="tick" d="M10.8 15.4l3.7 3.6 6.8-7.4"/></svg><span>Siegel</span></a>`;
  }

  private languages() {
    const button = (which: Language, name: string) => html`<button type="button" lang=${which} aria-pressed=${language() === which ? "true" : "false"} @click=${() => this.speak(which)}><span class="visually-hidden">${name}</span><span aria-hidden="true">${which.toUpperCase()}</span></button>`;
    return html`<div class="languages" role="group" aria-label=${t("language")}>${button("de", "Deutsch")}${button("en", "English")}</div>`;
  }

  private smallBar() {
    return html`<header class="bar"><div>${this.brand("/")}<span class="gap"></span>${this.languages()}</div></header>`;
  }

  private bar(state: State, at: Place) {
    const link = (href: string, text: string, here: boolean) => html`<a href=${href} aria-current=${here ? "page" : nothing}>${text}</a>`;
    return html`<header class="bar"><div>
      ${this.brand("/app/")}
      <nav aria-label=${t("menu")}>
        ${link("/app/", t("records"), ["home", "records", "record", "new", "arrange"].includes(at.page))}
        ${state.imports ? link("/app/import", t("import"), at.page === "import") : nothing}
        ${state.rules ? link("/app/rules", t("rules"), at.page === "rules") : nothing}
        ${state.administers ? link("/app/access", t("access"), at.page === "access") : nothing}
      </nav>
      <span class="gap"></span>
      ${state.reads && state.purposes.length > 1 ? this.purposes(state, at) : nothing}
      ${this.languages()}
      <button type="button" class="quiet" @click=${() => void this.signOut()}>${t("sign_out")}</button>
    </div></header>`;
  }

  private purposes(state: State, at: Place) {
    const type = at.type === undefined ? undefined : state.type(at.type);
    const now = state.purpose(type);
    return html`<label class="purpose" title=${t("purpose_help")}><span>${t("purpose")}</span>
      <select @change=${(event: Event) => this.choosePurpose(event.target as HTMLSelectElement, state, now)}>
        ${now ? nothing : html`<option value="" disabled selected>${at.page === "home" ? t("purpose_by_type") : t("purpose_ask")}</option>`}
        ${state.purposes.map((p) => html`<option value=${p.name} .selected=${p.name === now}>${titled(p.title, p.name)}</option>`)}
      </select></label>`;
  }

  // What is typed was typed over the values that the former purpose shows.
  private choosePurpose(select: HTMLSelectElement, state: State, now: string | undefined): void {
    if (!mayLeave("")) {
      select.value = now ?? "";
      return;
    }
    this.usePurpose(state, select.value);
  }

  private usePurpose(state: State, name: string): void {
    state.choosePurpose(name);
    if (place(this.path).page === "record") history.replaceState(null, "", `${location.pathname}?purpose=${encodeURIComponent(name)}`);
    this.requestUpdate();
  }
}

define("siegel-app", App);
