// From a sheet to records: choose, look, take over, and back if it was wrong.
import { html, nothing } from "lit";
import { ask, Latest, newKey, Problem, type DeletionClass, type Page } from "./api.js";
import { time } from "./format.js";
import { cancel, commit, follow, fromFile, fromText, preview, saveRejects, undo, type Commit, type How, type Import, type Preview, type Source } from "./import-api.js";
import "./import-preview.js";
import { titled } from "./language.js";
import { Part, define, problemBox, say, waiting } from "./parts.js";
import type { State } from "./state.js";
import { count, named, plural, t, type Key } from "./texts.js";

// Of these the server can tell by a value which record a row is about.
const exact = ["text", "email", "url", "integer", "date", "choice", "reference"];

class Imports extends Part {
  static override properties = {
    state: {}, purpose: {},
    earlier: { state: true }, classes: { state: true }, into: { state: true }, match: { state: true }, over: { state: true },
    shown: { state: true }, running: { state: true }, busy: { state: true }, problem: { state: true },
  };
  declare state: State;
  declare purpose: string | undefined;
  declare private earlier: Import[];
  declare private classes: DeletionClass[];
  declare private into: string; // a type, or "" for a new one
  declare private match: string[];
  declare private over: boolean; // a file hovers
  declare private shown: Preview | null;
  declare private running: Import | null; // being taken over, or taken over
  declare private busy: boolean;
  declare private problem: Problem | null;
  private source: Source | null = null;
  private sheet = "";
  private columns: How["columns"] = {};
  private readonly going = new Latest(); // what is under way: of what was left behind nothing is shown
  private key = "";

  constructor() {
    super();
    this.earlier = [];
    this.classes = [];
    this.into = "";
    this.match = [];
    this.over = this.busy = false;
    this.shown = this.running = this.problem = null;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (!this.makesTypes && this.state.types[0]) this.aim(this.state.types[0].name);
    void this.load();
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.going.next();
  }

  private async load(): Promise<void> {
    try {
      const [earlier, classes] = await Promise.all([ask<Page<Import>>("/v1/imports"), ask<Page<DeletionClass>>("/v1/deletion-classes")]);
      this.earlier = earlier.items;
      this.classes = classes.items.filter((c) => !c.built_in);
    } catch (failure) {
      this.problem = this.caught(failure);
    }
  }

  // The server lets only whoever carries all types make one.
  private get makesTypes(): boolean {
    return this.state.session.types === null;
  }
  private aim(into: string): void {
    this.into = into;
    this.match = [...(this.state.type(into)?.subject.fields ?? [])];
  }

  private get how() {
    return this.asked(this.into);
  }
  private asked(type: string | null | undefined) {
    return { purpose: this.state.purpose(this.state.type(type ?? "")) };
  }
  // What is compared stands in the ledger under its purpose: where none is meant, people say which.
  private knowsPurpose(type: string | null | undefined): boolean {
    if (this.asked(type).purpose || !this.state.purposes.length) return true;
    this.problem = new Problem(0, "purpose_missing", t("purpose_ask"));
    return false;
  }

  // ── steps ──

  private async read(source: Source, sheet = "", columns: How["columns"] = {}): Promise<void> {
    if (!this.knowsPurpose(this.into)) return;
    const before = this.shown?.import;
    this.source = source;
    this.sheet = sheet;
    this.columns = columns;
    this.busy = true;
    this.problem = null;
    const signal = this.going.next();
    try {
      const shown = await preview(source, { type: this.into, match: this.match, sheet, columns }, { ...this.how, signal });
      if (signal.aborted) return;
      this.shown = shown;
      if (before) void cancel(before).catch(() => undefined); // the same file, looked at in another way
      this.running = null;
      this.key = newKey();
      await this.updateComplete;
      this.querySelector<HTMLElement>("#preview")?.focus();
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = this.caught(failure);
    }
    this.busy = false;
  }

  private paste(): void {
    const text = this.querySelector<HTMLTextAreaElement>("#cells")?.value ?? "";
    if (text.trim()) void this.read(fromText(text));
  }
  private files(list: FileList | null | undefined): void {
    const file = list?.[0];
    if (file) void this.read(fromFile(file));
  }

  private async take(event: CustomEvent<Commit>): Promise<void> {
    const { shown } = this;
    if (!shown || this.busy) return;
    this.busy = true;
    this.problem = null;
    const signal = this.going.next();
    try {
      const asked = { purpose: event.detail.default_purpose ?? this.how.purpose, key: this.key };
      const begun = await commit(shown.import, event.detail, asked);
      if (signal.aborted) return;
      this.running = begun;
      this.running = await follow(shown.import, (now) => (this.running = now), signal);
      if (signal.aborted) return;
      if (this.running.state === "finished") {
        this.into = event.detail.create_type ?? this.into;
        this.shown = null;
        say(t("import_finished"));
        await this.state.load();
        await this.updateComplete;
        this.querySelector<HTMLElement>("#outcome")?.focus();
      } else if (this.running.error) {
        this.problem = new Problem(0, this.running.error, `${t("import_failed")} ${named("cell_", this.running.error)}`);
        this.running = null;
      }
      await this.load();
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = this.caught(failure);
      this.running = null;
      this.key = newKey();
      if (this.problem.status === 404) this.problem = new Problem(404, "expired", t("import_expired"));
    }
    this.busy = false;
  }

  private async drop(): Promise<void> {
    this.going.next();
    const id = this.shown?.import;
    this.shown = this.running = this.problem = null;
    this.busy = false;
    if (!id) return;
    try {
      await cancel(id);
      say(t("import_cancelled"));
    } catch (failure) {
      this.problem = this.caught(failure); // it had ended: the list says how
    }
    await this.load();
  }

  private async back(one: Import): Promise<void> {
    if (!this.knowsPurpose(one.type)) return;
    this.busy = true;
    this.problem = null;
    const signal = this.going.next();
    try {
      const asked = { ...this.asked(one.type), key: newKey() };
      const begun = await undo(one.import, asked);
      if (signal.aborted) return;
      this.running = begun;
      const undone = await follow(one.import, (now) => (this.running = now), signal);
      if (signal.aborted) return;
      // The answer to the undo alone lists what was kept.
      this.running = undone.undone?.kept ? await undo(one.import, asked) : undone;
      if (signal.aborted) return;
      say(t("import_undone"));
      await this.load();
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = this.caught(failure);
    }
    this.busy = false;
  }

  private async rejects(one: Import): Promise<void> {
    try {
      await saveRejects(one.import, this.asked(one.type));
    } catch (failure) {
      this.problem = this.caught(failure);
    }
  }

  // ── what is seen ──

  private target() {
    const type = this.state.type(this.into);
    const identity = type?.subject.mode === "match" ? (type.subject.fields ?? []) : [];
    const titles = (names: string[]) => names.map((name) => type?.fields.find((f) => f.name === name)?.title || name).join(", ");
    const others = (type ? this.state.fields(type) : []).filter((f) => f.searchable && exact.includes(f.type)).map((f) => [f.name]);
    const ways = [...(identity.length ? [identity] : []), ...others].filter((way, i, all) => all.findIndex((w) => `${w}` === `${way}`) === i);
    return html`<div class="fields">
      <div class="field"><label for="into">${t("import_into")}</label>
        <select id="into" @change=${(e: Event) => this.aim((e.target as HTMLSelectElement).value)}>
          ${this.makesTypes ? html`<option value="" ?selected=${this.into === ""}>${t("import_new_type")}</option>` : nothing}
          ${this.state.types.map((one) => html`<option value=${one.name} ?selected=${this.into === one.name}>${t("import_existing", { title: titled(one.title, one.name) })}</option>`)}
        </select></div>
      ${type ? html`<div class="field"><label for="match">${t("import_match")}</label>
        <select id="match" @change=${(e: Event) => (this.match = (e.target as HTMLSelectElement).value.split(",").filter(Boolean))}>
          <option value="" .selected=${!this.match.length}>${t("import_match_none")}</option>
          ${ways.map((way) => html`<option value=${way.join(",")} .selected=${`${way}` === `${this.match}`}>${titles(way)}</option>`)}
        </select></div>` : nothing}
      ${this.how.purpose || !this.state.purposes.length ? nothing : this.purposes()}
    </div>`;
  }

  private purposes() {
    const choose = (e: Event) => {
      this.problem = null;
      this.dispatchEvent(new CustomEvent<string>("siegel-purpose", { detail: (e.target as HTMLSelectElement).value }));
    };
    return html`<div class="field"><label for="under">${t("purpose_ask")}</label>
      <select id="under" aria-describedby="under-help" @change=${choose}><option value="" disabled selected></option>
        ${this.state.purposes.map((p) => html`<option value=${p.name}>${titled(p.title, p.name)}</option>`)}</select>
      <p class="help" id="under-help">${t("purpose_help")}</p></div>`;
  }

  private choose() {
    return html`<section class="card" aria-labelledby="choose"><h2 id="choose">${t("import_a_sheet")}</h2>
      ${this.target()}
      <div class="sources">
        <label class="drop ${this.over ? "over" : ""}" @dragover=${(e: DragEvent) => { e.preventDefault(); this.over = true; }} @dragleave=${() => (this.over = false)}
          @drop=${(e: DragEvent) => { e.preventDefault(); this.over = false; this.files(e.dataTransfer?.files); }}>
          <svg viewBox="0 0 48 48" aria-hidden="true"><rect x="8" y="6" width="32" height="36" rx="4" /><path d="M24 16v16M17 25l7 7 7-7" /></svg>
          <span class="strong">${t("import_drop")}</span><span class="soft small">${t("import_kinds")}</span>
          <input class="visually-hidden" type="file" accept=".csv,.tsv,.txt,.xlsx,.ods,.ndjson" @change=${(e: Event) => this.files((e.target as HTMLInputElement).files)}>
        </label>
        <form @submit=${(e: Event) => { e.preventDefault(); this.paste(); }}>
          <div class="field"><label for="cells">${t("import_paste")}</label>
            <textarea id="cells" rows="5" spellcheck="false" autocomplete="off" aria-describedby="cells-help" @paste=${() => setTimeout(() => this.paste(), 0)}></textarea>
            <p class="help" id="cells-help">${t("import_paste_help")}</p></div>
          <button class="button" ?disabled=${this.busy}>${t("import_look")}</button>
        </form>
      </div>
      ${this.busy ? html`<p role="status" class="soft">${t("import_reading")}</p>` : nothing}
    </section>`;
  }

  private progress(one: Import) {
    const all = this.shown?.rows_read ?? 0;
    if (one.state === "undoing") return html`<section class="card" aria-labelledby="going"><h2 id="going" role="status">${t("import_undoing")}</h2>
      <progress aria-labelledby="going"></progress></section>`;
    return html`<section class="card" aria-labelledby="going"><h2 id="going">${t("import_committing")}</h2>
      <progress max=${all || 1} value=${one.done ?? 0} aria-labelledby="going"></progress>
      <p class="soft" role="status">${t("import_progress", { done: count(one.done ?? 0), all: count(all) })}</p>
      <button type="button" class="quiet" @click=${() => void this.drop()}>${t("cancel")}</button></section>`;
  }

  private counts(one: Import) {
    const { undone } = one;
    if (undone) return html`<dl class="counts">${(["removed", "restored", "kept"] as const).map((key) => html`<div><dt>${t(`undone_${key}` as Key)}</dt><dd>${count(undone[key])}</dd></div>`)}</dl>`;
    const keys = ["new", "changed", "unchanged", "failed"] as const;
    return html`<dl class="counts">${keys.map((key) => html`<div class=${key === "failed" && one.counts.failed ? "bad" : ""}><dt>${t(`count_${key}` as Key)}</dt><dd>${count(one.counts[key])}</dd></div>`)}</dl>`;
  }

  private outcome(one: Import) {
    const undone = one.state === "undone";
    return html`<section class="card ${undone ? "" : "seal"}" aria-labelledby="outcome"><h2 id="outcome" tabindex="-1">${undone ? t("import_undone") : t("import_finished")}</h2>
      ${this.counts(one)}
      ${one.kept?.length ? html`<p class="strong">${plural("import_kept", one.kept.length)}</p><ul class="kept">${one.kept.map((k) => html`<li>${t("import_row")} ${k.row}: ${named("import_kept_", k.reason)}${k.record ? html` · <a href="/app/records/${k.record}">${t("open_record")}</a>` : nothing}</li>`)}</ul>` : nothing}
      <p class="row">
        ${this.into && this.state.type(this.into) ? html`<a class="button" href="/app/types/${this.into}">${t("import_show")}</a>` : nothing}
        ${one.counts.failed && !undone ? html`<button type="button" class="quiet" @click=${() => void this.rejects(one)}>${t("import_rejects")}</button>` : nothing}
        ${undone ? nothing : html`<button type="button" class="quiet" @click=${() => this.confirm(one)}>${t("import_undo")}</button>`}
        <button type="button" class="quiet" @click=${() => { this.running = null; }}>${t("import_other")}</button>
      </p></section>`;
  }

  private doomed: Import | null = null;
  private confirm(one: Import): void {
    this.doomed = one;
    this.querySelector("dialog")?.showModal();
    this.querySelector<HTMLElement>('dialog [value="no"]')?.focus();
  }
  private decided(event: Event): void {
    const one = this.doomed;
    this.doomed = null;
    if (one && (event.target as HTMLDialogElement).returnValue === "yes") void this.back(one);
  }

  private list() {
    if (!this.earlier.length) return nothing;
    return html`<section><h2 id="earlier">${t("import_earlier")}</h2>
      <div class="sheet" tabindex="0" role="region" aria-labelledby="earlier"><table>
        <thead><tr><th scope="col">${t("when")}</th><th scope="col">${t("record")}</th>${(["new", "changed", "failed"] as const).map((k) => html`<th scope="col" class="figure">${t(`count_${k}` as Key)}</th>`)}<th scope="col">${t("state")}</th><th><span class="visually-hidden">${t("import_undo")}</span></th></tr></thead>
        <tbody>${this.earlier.map((one) => html`<tr>
          <th scope="row" data-label=${t("when")}>${one.at ? time(one.at) : "–"}</th>
          <td data-label=${t("record")}>${one.type ? titled(this.state.type(one.type)?.title, one.type) : "–"}</td>
          ${(["new", "changed", "failed"] as const).map((k) => html`<td class="figure" data-label=${t(`count_${k}` as Key)}>${count(one.counts[k])}</td>`)}
          <td data-label=${t("state")}>${named("state_", one.state)}</td>
          <td>${one.state === "finished" ? html`<button type="button" class="quiet" ?disabled=${this.busy} @click=${() => this.confirm(one)}>${t("import_undo")}</button>` : nothing}</td></tr>`)}
        </tbody></table></div></section>`;
  }

  protected override render() {
    const { running, shown } = this;
    const goes = running && (running.state === "committing" || running.state === "undoing");
    const over = running && (running.state === "finished" || running.state === "undone");
    return html`<h1>${t("import")}</h1>
      ${shown || over ? nothing : html`<p class="soft">${t("import_intro")}</p>`}
      ${problemBox(this.problem)}
      ${goes ? this.progress(running)
        : over ? this.outcome(running)
        : shown ? html`<siegel-preview data-page .state=${this.state} .preview=${shown} .type=${this.state.type(this.into)} .classes=${this.classes} .name=${this.source?.name ?? ""} .busy=${this.busy}
            @siegel-take=${(e: CustomEvent<Commit>) => void this.take(e)} @siegel-drop=${() => void this.drop()}
            @siegel-columns=${(e: CustomEvent<How["columns"]>) => this.source && void this.read(this.source, this.sheet, { ...this.columns, ...e.detail })}
            @siegel-sheet=${(e: CustomEvent<string>) => this.source && void this.read(this.source, e.detail)}></siegel-preview>`
        : this.busy ? html`${this.choose()}${waiting(6)}` : this.choose()}
      ${shown || goes ? nothing : this.list()}
      <dialog aria-labelledby="ask" @close=${(event: Event) => this.decided(event)}><form method="dialog"><p id="ask">${t("import_undo_ask")}</p>
        <p class="row"><button class="button danger" value="yes">${t("import_undo")}</button><button class="quiet" value="no">${t("cancel")}</button></p></form></dialog>`;
  }
}

define("siegel-imports", Imports);
