// One record: what is stored, its form, and its history; also the form of a record to come.
import { html, nothing } from "lit";
import { ask, enc, Latest, newKey, type Erasure, type Field, type HistoryItem, type Page, Problem, type Shown, type Type, type Value, type Values } from "./api.js";
import { form, sections } from "./fields.js";
import { actor, meant, notMeant, same, shown, time, written } from "./format.js";
import { titled } from "./language.js";
import { Part, commands, define, emptyBox, go, problemBox, say, waiting } from "./parts.js";
import { recordsPath, tables, type State } from "./state.js";
import { has, named, t, type Key } from "./texts.js";

class Record_ extends Part {
  static override properties = {
    state: {}, type: {}, purpose: {}, record: {},
    stored: { state: true }, edited: { state: true }, wrong: { state: true }, problem: { state: true }, newer: { state: true },
    busy: { state: true }, history: { state: true }, more: { state: true }, historyProblem: { state: true }, erasure: { state: true },
  };
  declare state: State;
  declare type: Type | undefined;
  declare purpose: string | undefined;
  declare record: string; // "": one to come
  declare private stored: Shown | null;
  declare private edited: Values | null; // the form is open
  declare private wrong: ReadonlyMap<string, string>;
  declare private problem: Problem | null;
  declare private newer: Shown | null; // what somebody else stored meanwhile
  declare private busy: boolean;
  declare private history: HistoryItem[];
  declare private more: string | null;
  declare private historyProblem: Problem | null;
  declare private erasure: Erasure | null; // that took this record away
  private reason = "";
  private key = "";
  private readonly visit = new Latest(); // of this record, with this purpose: no answer to another one is shown
  private readonly paging = new Latest(); // of the history

  constructor() {
    super();
    this.stored = this.edited = this.problem = this.newer = this.more = this.historyProblem = this.erasure = null;
    this.wrong = new Map();
    this.busy = false;
    this.history = [];
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("siegel-leave", this.leaving);
    window.addEventListener("beforeunload", this.unloading);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.visit.next();
    this.paging.next();
    window.removeEventListener("siegel-leave", this.leaving);
    window.removeEventListener("beforeunload", this.unloading);
  }

  private get isUnsaved(): boolean {
    return this.edited !== null && this.fields.some((field) => this.touched(field, this.stored));
  }
  private target = "";
  private leaving = (event: Event): void => {
    if (!this.isUnsaved) return;
    event.preventDefault();
    this.target = (event as CustomEvent<string>).detail;
    this.querySelector("dialog")?.showModal();
  };
  private unloading = (event: Event): void => {
    if (this.isUnsaved) event.preventDefault();
  };
  private answered(event: Event): void {
    if ((event.target as HTMLDialogElement).returnValue !== "yes") return;
    this.edited = this.record ? null : {};
    if (this.target) go(this.target, "left");
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("record") && !changed.has("purpose") && !changed.has("type")) return;
    this.forget();
    if (!this.record) this.edited = {};
    else void this.load();
  }

  private forget(): void {
    this.visit.next();
    this.paging.next();
    this.stored = this.edited = this.problem = this.newer = this.more = this.historyProblem = this.erasure = null;
    this.busy = false;
    this.history = [];
    this.wrong = new Map();
    this.reason = "";
    this.key = newKey();
  }

  private get fields(): Field[] {
    const type = this.typeNow;
    return type ? this.state.fields(type, this.purpose) : [];
  }
  private get typeNow(): Type | undefined {
    return this.type ?? (this.stored ? this.state.type(this.stored.type) : undefined);
  }

  private async load(): Promise<void> {
    const { signal } = this.visit;
    this.problem = null;
    this.busy = true;
    try {
      const stored = await ask<Shown>(`/v1/records/${enc(this.record)}`, { purpose: this.purpose, signal });
      if (signal.aborted) return;
      if (this.type && stored.type !== this.type.name) throw new Problem(404, "not_found", t("record_other_type"));
      this.stored = stored;
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = this.caught(failure);
      if (this.problem.erasure && this.state.readsErasures) void this.loadErasure(this.problem.erasure);
    }
    this.busy = false;
    if (this.stored && this.state.readsHistory) await this.loadHistory(null);
  }

  private async loadHistory(cursor: string | null): Promise<void> {
    const signal = this.paging.next();
    this.historyProblem = null;
    try {
      const page = await ask<Page<HistoryItem>>(`/v1/records/${enc(this.record)}/history?limit=50${cursor ? `&cursor=${enc(cursor)}` : ""}`, { purpose: this.purpose, signal });
      if (signal.aborted) return;
      this.history = cursor ? [...this.history, ...page.items] : page.items;
      this.more = page.next;
    } catch (failure) {
      if (signal.aborted) return;
      this.historyProblem = this.caught(failure);
    }
  }

  // ── editing ──

  private edit(): void {
    this.edited = this.written(this.stored?.values ?? {});
    this.key = newKey();
    this.reason = "";
    void this.updateComplete.then(() => this.querySelector<HTMLElement>(".form input, .form select, .form textarea")?.focus());
  }

  private cancel(): void {
    if (!this.record) return go(`/app/types/${this.type?.name ?? ""}`, "left");
    this.edited = this.newer = this.problem = null;
    this.wrong = new Map();
    void this.updateComplete.then(() => this.querySelector<HTMLElement>("#edit")?.focus());
  }

  // As people write it, and back. What could mean two things stays as it is typed, and is not sent.
  private written(values: Values): Values {
    return Object.fromEntries(this.fields.map((f) => [f.name, written(f, values[f.name])]));
  }
  private touched(field: Field, against: Shown | null): boolean {
    const typed = this.edited?.[field.name];
    const value = meant(field, typed);
    const before = written(field, against?.values[field.name]);
    return !same(typed, before) && (value === undefined || !same(written(field, value), before));
  }
  private changes(against: Shown | null): Values {
    const out: Values = {};
    for (const field of this.fields) {
      const value = meant(field, this.edited?.[field.name]);
      if (value !== undefined && this.touched(field, against)) out[field.name] = value;
    }
    return out;
  }
  private check(fields: Field[]): Map<string, string> {
    const wrong = new Map<string, string>();
    for (const field of fields) {
      const value = this.edited?.[field.name];
      if (field.required && same(value, null)) wrong.set(field.name, t("required_missing"));
      const untouched = same(value, written(field, this.stored?.values[field.name]));
      if (!untouched && meant(field, value) === undefined) wrong.set(field.name, notMeant(field));
    }
    return wrong;
  }
  // Whether all that was typed can be meant; else it is said at the first field that cannot.
  private isGood(): boolean {
    this.wrong = this.check(this.fields);
    if (this.wrong.size) this.showWrong();
    return !this.wrong.size;
  }
  private showWrong(): void {
    void this.updateComplete.then(() => this.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  }

  private async save(event: Event): Promise<void> {
    event.preventDefault();
    const type = this.typeNow;
    const { stored } = this;
    const { signal } = this.visit;
    if (!type || !this.edited || this.busy || (stored?.record ?? "") !== this.record) return;
    if (!this.isGood()) return;
    const values = this.changes(stored);
    if (stored && !Object.keys(values).length) {
      this.cancel();
      return say(t("nothing_changed"));
    }
    this.busy = true;
    this.problem = null;
    try {
      const body = this.reason.trim() ? { values, reason: this.reason.trim() } : { values };
      const asked = { body, purpose: this.purpose, key: this.key };
      if (stored) {
        await ask(`/v1/records/${enc(stored.record)}`, { ...asked, method: "PATCH", version: stored.version });
        say(t("saved"));
        if (signal.aborted) return;
        this.edited = this.newer = null;
        await this.load();
        if (signal.aborted) return;
        this.querySelector<HTMLElement>("#edit")?.focus();
      } else {
        const added = await ask<{ record: string }>(recordsPath(type.name), { ...asked, method: "POST" });
        say(t("added"));
        if (signal.aborted) return;
        go(this.state.recordPage(type, added.record), "replace");
      }
    } catch (failure) {
      if (signal.aborted) return say(t("not_saved"));
      this.problem = this.caught(failure);
      this.key = newKey();
      if (this.problem.code === "version_conflict") await this.meet();
      else this.point();
    }
    if (!signal.aborted) this.busy = false;
  }

  // A value that the server does not take is told at its field.
  private point(): void {
    const name = /^\/values\/(.+)$/.exec(this.problem?.pointer ?? "")?.[1];
    if (!name || !this.fields.some((f) => f.name === name)) return;
    const reason = `cell_${this.problem?.reason ?? ""}`;
    this.wrong = new Map([[name, has(reason) ? t(reason) : (this.problem?.message ?? "")]]);
    this.problem = null;
    this.showWrong();
  }

  // Somebody was faster: nothing is lost, and nothing of theirs is overwritten unseen.
  private async meet(): Promise<void> {
    const { signal } = this.visit;
    try {
      const newer = await ask<Shown>(`/v1/records/${enc(this.record)}`, { purpose: this.purpose, signal });
      if (signal.aborted) return;
      this.newer = newer;
      this.problem = null;
      await this.updateComplete;
      this.querySelector<HTMLElement>("#conflict")?.focus();
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = this.caught(failure);
    }
  }

  private settle(take: "mine" | "theirs"): void {
    const { newer } = this;
    if (!newer || (take === "mine" && !this.isGood())) return;
    const mine = this.changes(this.stored);
    this.stored = newer;
    this.newer = null;
    this.edited = this.written(take === "mine" ? { ...newer.values, ...mine } : newer.values);
    if (take === "theirs") return this.cancel();
    void this.updateComplete.then(() => this.querySelector<HTMLFormElement>("form.record")?.requestSubmit());
  }

  private conflict() {
    const { newer } = this;
    if (!newer) return nothing;
    const mine = this.changes(this.stored);
    const fields = this.fields.filter((f) => f.name in mine && !same(newer.values[f.name], this.stored?.values[f.name]));
    return html`<div class="box warn" role="alertdialog" aria-labelledby="conflict" aria-describedby="conflict-help">
      <h2 id="conflict" tabindex="-1">${t("conflict")}</h2>
      <p id="conflict-help">${fields.length ? t("conflict_help") : t("conflict_none")}</p>
      ${fields.length ? html`<div class="sheet slim"><table><thead><tr><th scope="col">${t("field")}</th><th scope="col">${t("stored_now")}</th><th scope="col">${t("your_input")}</th></tr></thead>
        <tbody>${fields.map((f) => html`<tr><th scope="row">${f.title || f.name}</th><td data-label=${t("stored_now")}>${shown(f, newer.values[f.name]) || t("no_value")}</td><td data-label=${t("your_input")}>${shown(f, mine[f.name]) || t("no_value")}</td></tr>`)}</tbody></table></div>` : nothing}
      <p class="row"><button type="button" class="button" @click=${() => this.settle("mine")}>${t("conflict_mine")}</button>
        <button type="button" class="quiet" @click=${() => this.settle("theirs")}>${t("conflict_theirs")}</button></p>
    </div>`;
  }

  private change(field: Field, value: Value): void {
    this.edited = { ...(this.edited ?? {}), [field.name]: value };
    if (this.wrong.has(field.name)) this.wrong = new Map([...this.wrong].filter(([name]) => name !== field.name));
  }

  // ── what is seen ──

  private details(type: Type, stored: Shown) {
    if (!this.fields.length) return html`<p class="soft">${t("purpose_covers_nothing")}</p>`;
    return sections(type, this.fields).map(({ title, rows }) => html`${title ? html`<h2 class="section">${title}</h2>` : nothing}${this.values(rows.flat(), stored)}`);
  }

  private values(fields: Field[], stored: Shown) {
    return html`<dl class="details">${fields.map((f) => {
      const text = shown(f, stored.values[f.name]);
      const gone = !text && stored.erased?.includes(f.class);
      return html`<div class=${f.type === "multiline" ? "broad" : ""}><dt>${f.title || f.name}</dt><dd class=${f.type === "multiline" ? "lines" : ""}>${text || (gone ? html`<em class="gone">${t("erased_value")}</em>` : html`<span class="blank" aria-label=${t("no_value")}>–</span>`)}</dd></div>`;
    })}</dl>`;
  }

  private editor(type: Type) {
    return html`<form class="record" novalidate @submit=${(event: Event) => void this.save(event)}>
      ${form({ type, fields: this.fields, values: this.edited ?? {}, wrong: this.wrong, change: (f, v) => this.change(f, v) })}
      ${this.record ? html`<div class="field"><label for="reason">${t("reason")} <span class="soft">(${t("optional")})</span></label>
        <input id="reason" maxlength="500" autocomplete="off" aria-describedby="reason-help" @input=${(e: Event) => (this.reason = (e.target as HTMLInputElement).value)}>
        <p class="help" id="reason-help">${t("reason_help")}</p></div>` : nothing}
      ${problemBox(this.problem)}
      ${this.newer ? nothing : html`<p class="row"><button class="button" ?disabled=${this.busy}>${t("save")}</button>
        <button type="button" class="quiet" @click=${() => this.cancel()}>${t("cancel")}</button></p>`}
    </form>
    <dialog aria-labelledby="leave" @close=${(event: Event) => this.answered(event)}><p id="leave">${t("leave")}</p>
        <p class="row"><button type="button" class="button" @click=${() => this.querySelector("dialog")?.close("no")}>${t("stay")}</button>
          <button type="button" class="quiet" @click=${() => this.querySelector("dialog")?.close("yes")}>${t("discard")}</button></p></dialog>`;
  }

  private entry(type: Type, item: HistoryItem) {
    const purpose = this.state.purposes.find((p) => p.name === item.purpose);
    const ground = named("ground_", item.legal_ground);
    const why = [item.purpose ? titled(purpose?.title, item.purpose) : "", ground].filter(Boolean).join(", ");
    return html`<li>
      <p class="what"><span class="strong">${named("event_", item.type)}</span> <time datetime=${item.at}>${time(item.at)}</time></p>
      <dl class="facts"><div><dt>${t("who")}</dt><dd>${actor(item, this.state.session)}</dd></div>
        ${why ? html`<div><dt>${t("why")}</dt><dd>${why}</dd></div>` : nothing}
        ${item.reason ? html`<div><dt>${t("reason_short")}</dt><dd class="lines">${item.reason}</dd></div>` : nothing}</dl>
      ${item.changes.length ? html`<ul class="changes">${item.changes.map((change) => {
        const field = type.fields.find((f) => f.name === change.field);
        const old = shown(field, change.old);
        return html`<li><span class="name">${field?.title || change.field}</span>
          <span class="value lines">${old ? html`<del>${old}</del> <span aria-hidden="true">→</span> ` : nothing}<ins>${shown(field, change.new) || html`<span class="soft">${t("no_value")}</span>`}</ins></span></li>`;
      })}</ul>` : nothing}
      ${item.erased?.length ? html`<p class="gone">${t("erased_value")}: ${item.erased.join(", ")}</p>` : nothing}
      <p class="small soft">${t("seal_note", { seq: item.seq })}</p>
    </li>`;
  }

  private timeline(type: Type) {
    return html`<section aria-labelledby="history"><h2 id="history">${t("history")}</h2>
      ${problemBox(this.historyProblem, () => void this.loadHistory(null))}
      <ol class="timeline">${[...this.history].sort((a, b) => b.seq - a.seq).map((item) => this.entry(type, item))}</ol>
      ${this.more ? html`<button type="button" class="quiet" @click=${() => void this.loadHistory(this.more)}>${t("history_more")}</button>` : nothing}
    </section>`;
  }

  // For privacy officers: what the command line does for this person, ready to be copied.
  private commands(subject: string) {
    return commands(t("ctl_person"), [
      [t("ctl_export"), `siegel --purpose ${this.purpose} export --subject ${subject} -o ${t("ctl_export_file")}`],
      [t("ctl_history"), `siegel --purpose ${this.purpose} subject history ${subject}`],
      [t("ctl_erase"), `siegel erase --subject ${subject} --ground art17-1-b --now --certificate ${t("ctl_certificate_file")}`],
    ]);
  }

  protected override render() {
    const type = this.typeNow;
    if (!type) return this.problem ? this.failed() : this.stored ? emptyBox(t("not_found"), t("not_found_help")) : waiting(8);
    const title = titled(type.title, type.name);
    const crumb = html`<p class="crumb"><a href="/app/types/${type.name}">${title}</a></p>`;
    if (!this.record) return html`${crumb}<h1>${t("new_record")}</h1><div class="card">${this.fields.length ? this.editor(type) : html`<p class="soft">${t("purpose_covers_nothing")}</p>`}</div>`;
    const { stored } = this;
    if (!stored) return this.problem ? this.failed() : waiting(8);
    const first = this.fields[0];
    return html`${crumb}
      <div class="head"><div><h1>${(first && shown(first, stored.values[first.name])) || t("record")}</h1>
        <p class="soft">${t("version")} ${stored.version} · ${t("updated", { at: time(stored.updated_at) })}</p></div>
        ${this.state.writes && !this.edited && first ? html`<button id="edit" type="button" class="button" @click=${() => this.edit()}>${t("edit")}</button>` : nothing}</div>
      <div class="two">
        <section class="card" aria-label=${t("details")}>${this.edited ? html`${this.conflict()}${this.editor(type)}` : html`${problemBox(this.problem)}${this.details(type, stored)}`}</section>
        ${this.state.readsHistory ? this.timeline(type) : nothing}
      </div>
      ${this.state.session.role === "privacy_officer" && stored.subject ? this.commands(stored.subject) : nothing}`;
  }

  // Why there is nothing to see, in its heading; once more only where that could help.
  private failed() {
    const { problem, erasure } = this;
    const titles: Record<number, Key> = { 403: "no_right", 404: "no_record", 410: "is_erased" };
    const title = titles[problem?.status ?? 0];
    const facts = erasure
      ? t("erased_when", { at: time(erasure.effective_at ?? erasure.requested_at), ground: named("erasure_", erasure.ground.replace(/-/g, "_")) })
      : "";
    return html`<h1>${t(title ?? "record")}</h1>
      ${problem?.status === 410
        ? html`<p>${t("is_erased_help")}</p>${facts ? html`<p>${facts}</p>` : nothing}
          ${problem.erasure ? html`<p class="soft">${t("erasure_id")}: <code>${problem.erasure}</code></p>` : nothing}`
        : problemBox(problem, title ? undefined : () => void this.load())}
      ${problem?.code === "type_denied" ? html`<p class="soft">${t("token_types", { types: tables(this.state) })}</p>` : nothing}
      ${problem?.status === 404 ? html`<p class="soft">${t("no_record_help")}</p>` : nothing}
      <p><a class="button" href="/app/">${t("to_start")}</a></p>`;
  }

  // When and why it was erased only privacy officers are told.
  private async loadErasure(id: string): Promise<void> {
    const { signal } = this.visit;
    try {
      const erasure = await ask<Erasure>(`/v1/erasures/${enc(id)}`, { signal });
      if (!signal.aborted) this.erasure = erasure;
    } catch {
      // its id is shown all the same
    }
  }
}

define("siegel-record", Record_);
