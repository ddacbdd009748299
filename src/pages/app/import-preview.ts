// What a sheet holds and what becomes of it: each column with the guess and its reason, and the choices that are people's.
import { html, nothing } from "lit";
import type { DeletionClass, Field, Type } from "./api.js";
import { form } from "./fields.js";
import { lasting, nameOf, shown as shownValue } from "./format.js";
import type { Column, Commit, Preview } from "./import-api.js";
import { language, titled } from "./language.js";
import { Part, define } from "./parts.js";
import type { State } from "./state.js";
import { count, has, named, plural, t, type Key } from "./texts.js";

const types = ["text", "multiline", "email", "phone", "url", "integer", "decimal", "date", "datetime", "boolean", "choice", "multichoice"];

class Preview_ extends Part {
  static override properties = {
    state: {}, preview: {}, type: {}, classes: {}, name: {}, busy: {},
    chosen: { state: true }, title_: { state: true }, cls: { state: true }, purpose: { state: true }, mode: { state: true }, identity: { state: true },
    bad: { state: true }, view: { state: true }, wrong: { state: true },
  };
  declare state: State;
  declare preview: Preview;
  declare type: Type | undefined; // none: a new one
  declare classes: DeletionClass[];
  declare name: string; // of the file
  declare busy: boolean;
  declare private chosen: Record<string, string>; // field → type, where it is not the guess
  declare private title_: string;
  declare private cls: string;
  declare private purpose: string;
  declare private mode: "none" | "row" | "match";
  declare private identity: string;
  declare private bad: "skip" | "none";
  declare private view: "file" | "form";
  declare private wrong: ReadonlySet<string>;

  constructor() {
    super();
    this.chosen = {};
    this.title_ = this.cls = this.purpose = this.identity = "";
    this.mode = "row";
    this.bad = "skip";
    this.view = "file";
    this.wrong = new Set();
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("preview")) return;
    const { preview } = this;
    const fields = new Set(preview.columns.map((column) => column.field));
    this.chosen = Object.fromEntries(Object.entries(this.chosen).filter(([field]) => fields.has(field)));
    this.title_ ||= (this.name.replace(/\.[^.]*$/, "") || preview.sheet) ?? "";
    this.purpose ||= this.state.purpose() ?? "";
    if (this.classes.length === 1) this.cls = this.classes[0]?.name ?? "";
    this.identity = preview.identity?.[0] ?? "";
    const personal = preview.columns.some((c) => c.personal !== false);
    this.mode = !personal ? "none" : this.identity ? "match" : "row";
  }

  private take(): void {
    const created = this.type ? {} : this.newType();
    this.wrong = new Set(this.type ? [] : [this.title_.trim() ? "" : "title", this.cls ? "" : "class"].filter(Boolean));
    if (this.wrong.size) return void this.updateComplete.then(() => this.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
    const commit: Commit = { bad_rows: this.bad, types: this.chosen, ...created };
    this.dispatchEvent(new CustomEvent<Commit>("siegel-take", { detail: commit }));
  }

  private newType(): Partial<Commit> {
    const subject: NonNullable<Commit["subject"]> = this.mode === "match" ? { mode: "match", fields: [this.identity] } : { mode: this.mode };
    const made = { create_type: nameOf(this.title_), title: { [language()]: this.title_.trim() }, class: this.cls, subject };
    return this.purpose ? { ...made, default_purpose: this.purpose } : made;
  }

  private typeOf(column: Column): string {
    return (column.field && this.chosen[column.field]) || column.type;
  }

  // "mostly_dates_german": what fits stands beside it, so the reason says how many.
  private reason(column: Column): string {
    const key = `guess_${column.reason}`;
    if (has(key)) return t(key);
    return column.reason.startsWith("mostly_") ? t("guess_mostly") : column.reason.startsWith("all_") ? t("guess_all") : column.reason;
  }

  // Said where cells are empty: a column that most rows leave empty is seldom wanted.
  private filled(column: Column) {
    const all = this.preview.rows_read;
    return column.cells > 0 && column.cells < all ? html` · ${t("import_filled", { n: count(column.cells), all: count(all) })}` : nothing;
  }

  // Of a new type: what the column is, or nothing. Of one that is there: the field that takes it.
  private choice(column: Column, i: number) {
    const move = (field: string | null) => this.dispatchEvent(new CustomEvent<Record<string, string | null>>("siegel-columns", { detail: { [column.title]: field } }));
    if (this.type) {
      const into = (e: Event) => move((e.target as HTMLSelectElement).value || null);
      // Rows fail for cells of it: it is left out once somebody says so, and only what is not chosen yet can be chosen.
      const refused = this.preview.failures.some((f) => f.code === "extra_cells" && f.column === column.title);
      return html`<select aria-labelledby="column-${i}" ?disabled=${this.busy} @change=${into}>${refused ? html`<option value="?" selected disabled>${t("import_not_said")}</option>` : nothing}<option value="" ?selected=${!column.field && !refused}>${t("import_left_out")}</option>
        ${this.type.fields.map((f) => html`<option value=${f.name} ?selected=${f.name === column.field}>${f.title || f.name} (${named("type_", f.type)})</option>`)}</select>`;
    }
    if (!column.field) return html`<span>${t("import_left_out")}</span>`;
    const choose = (e: Event) => {
      const value = (e.target as HTMLSelectElement).value;
      if (value) this.chosen = { ...this.chosen, [column.field ?? ""]: value };
      else move(null);
    };
    return html`<select aria-labelledby="column-${i}" ?disabled=${this.busy} @change=${choose}>${types.map((type) => html`<option value=${type} ?selected=${type === this.typeOf(column)}>${named("type_", type)}</option>`)}<option value="">${t("import_left_out")}</option></select>`;
  }

  private row(column: Column, i: number) {
    return html`<tr class=${column.field ? "" : "over"}>
      <th scope="row" data-label=${t("import_column")} id="column-${i}"><span>${column.title}</span></th>
      <td data-label=${t(this.type ? "field" : "import_type")}>${this.choice(column, i)}</td>
      <td data-label=${t("import_reason")}><span>${this.reason(column)}${this.filled(column)}${column.exceptions ? html` · <span class="wrong-text">${plural("import_exceptions", column.exceptions)}${column.exception_examples?.length ? html`: ${column.exception_examples.slice(0, 3).join(" · ")}` : nothing}</span>` : nothing}</span></td>
      <td data-label=${t("import_examples")}><span class="samples">${column.examples.slice(0, 5).map((example) => html`<span class="sample">${example}</span>`)}</span></td>
    </tr>`;
  }

  private file() {
    return html`<div class="sheet" tabindex="0" role="region" aria-label=${t("import_columns")}><table class="columns">
      <thead><tr>${(["import_column", this.type ? "field" : "import_type", "import_reason", "import_examples"] as Key[]).map((key) => html`<th scope="col">${t(key)}</th>`)}</tr></thead>
      <tbody>${this.preview.columns.map((column, i) => this.row(column, i))}</tbody></table></div>`;
  }

  private will() {
    const made: Field[] = this.preview.columns.filter((c) => c.field).map((c) => ({
      name: c.field ?? "", title: c.title, type: this.typeOf(c), personal: c.personal ?? true, required: false, searchable: false, class: "", choices: [...new Set(c.examples)],
    }));
    const type: Type = this.type ?? { name: "", version: 0, title: {}, subject: { mode: "row" }, fields: made, form: pairs(made) };
    const values = Object.fromEntries(this.preview.columns.filter((c) => c.field).map((c) => {
      const kind = this.typeOf(c);
      const example = c.examples[0] ?? "";
      // The server makes the value; a control that takes its own form only shows nothing rather than something else.
      return [c.field ?? "", ["date", "datetime", "boolean", "multichoice"].includes(kind) ? null : example];
    }));
    const fields = (this.type?.fields ?? made).map((f) => (["date", "datetime", "boolean"].includes(f.type) ? { ...f, type: "text" } : f));
    for (const c of this.preview.columns) if (c.field && ["date", "datetime", "boolean"].includes(this.typeOf(c))) values[c.field] = c.examples[0] ?? "";
    return html`<div class="card"><p class="soft small">${t("import_form_note")}</p><fieldset class="mock" disabled>${form({ type, fields, values, wrong: new Map(), change: () => {} })}</fieldset></div>`;
  }

  private settings() {
    if (this.type) return nothing;
    const fields = this.preview.columns.filter((c) => c.field);
    const radio = (mode: "none" | "row" | "match", text: string, more: unknown = nothing) => html`<div class="check"><input type="radio" name="who" id="who-${mode}" .checked=${this.mode === mode} @change=${() => (this.mode = mode)}><label for="who-${mode}">${text}</label>${more}</div>`;
    return html`<section class="card" aria-labelledby="settings"><h2 id="settings">${t("import_settings")}</h2>
      <div class="fields">
        <div class="field"><label for="new-title">${t("import_title")} <span class="must" aria-hidden="true">*</span></label>
          <input id="new-title" required maxlength="80" .value=${this.title_} aria-invalid=${this.wrong.has("title") ? "true" : nothing} aria-describedby=${this.wrong.has("title") ? "new-title-wrong" : nothing} @input=${(e: Event) => (this.title_ = (e.target as HTMLInputElement).value)}>
          ${this.wrong.has("title") ? html`<p class="wrong" id="new-title-wrong">${t("import_title_missing")}</p>` : nothing}</div>
        <div class="field"><label for="new-purpose">${t("purpose")}</label>
          <select id="new-purpose" aria-describedby="new-purpose-help" @change=${(e: Event) => (this.purpose = (e.target as HTMLSelectElement).value)}>${this.state.purposes.map((p) => html`<option value=${p.name} ?selected=${p.name === this.purpose}>${titled(p.title, p.name)}</option>`)}</select>
          <p class="help" id="new-purpose-help">${t("import_purpose_help")}</p></div>
        <div class="field"><label for="new-class">${t("import_class")} <span class="must" aria-hidden="true">*</span></label>
          <select id="new-class" required aria-invalid=${this.wrong.has("class") ? "true" : nothing} aria-describedby="new-class-help" @change=${(e: Event) => (this.cls = (e.target as HTMLSelectElement).value)}>
            <option value="" ?selected=${!this.cls}></option>${this.classes.map((c) => html`<option value=${c.name} ?selected=${c.name === this.cls}>${c.note || c.name} (${lasting(c.period)})</option>`)}</select>
          ${this.wrong.has("class") ? html`<p class="wrong">${t("import_class_missing")}</p>` : nothing}
          <p class="help" id="new-class-help">${this.classes.length ? t("import_class_help") : t("import_class_none")}</p></div>
      </div>
      <fieldset class="field"><legend>${t("import_who")}</legend>
        ${radio("match", t("import_who_match"), html`<select class="inline" aria-label=${t("import_who_match")} ?disabled=${this.mode !== "match"} @change=${(e: Event) => (this.identity = (e.target as HTMLSelectElement).value)}>${fields.map((c) => html`<option value=${c.field ?? ""} ?selected=${c.field === this.identity}>${c.title}</option>`)}</select>`)}
        ${radio("row", t("import_who_row"))}${radio("none", t("import_who_none"))}</fieldset>
    </section>`;
  }

  private failures() {
    const { counts, failures } = this.preview;
    if (!counts.failed) return nothing;
    return html`<section class="card" aria-labelledby="bad-rows"><h2 id="bad-rows">${plural("import_bad", counts.failed)}</h2>
      <ul class="kept">${failures.slice(0, 8).map((f) => html`<li>${t("import_row")} ${f.row}${f.column ? html`, ${f.column}` : nothing}: ${named("cell_", f.code)}</li>`)}${failures.length > 8 || counts.failed > failures.length ? html`<li>…</li>` : nothing}</ul>
      <fieldset class="field"><legend class="visually-hidden">${plural("import_bad", counts.failed)}</legend>
        ${(["skip", "none"] as const).map((how) => html`<label class="check"><input type="radio" name="bad" .checked=${this.bad === how} @change=${() => (this.bad = how)}> ${t(`import_bad_${how}` as Key)}</label>`)}</fieldset></section>`;
  }

  private changes() {
    const { changes } = this.preview;
    if (!changes.length) return nothing;
    const field = (name: string) => this.type?.fields.find((f) => f.name === name);
    return html`<section><h2 id="changes">${t("import_changes")}</h2>
      <div class="sheet" tabindex="0" role="region" aria-labelledby="changes"><table><thead><tr><th scope="col">${t("import_row")}</th><th scope="col">${t("field")}</th><th scope="col">${t("before")}</th><th scope="col">${t("after")}</th></tr></thead>
      <tbody>${changes.slice(0, 50).map((c) => html`<tr><th scope="row" data-label=${t("import_row")}>${c.row}</th><td data-label=${t("field")}>${field(c.field)?.title || c.field}</td><td data-label=${t("before")}><del>${shownValue(field(c.field), c.old)}</del></td><td data-label=${t("after")}>${shownValue(field(c.field), c.new)}</td></tr>`)}</tbody></table></div></section>`;
  }

  protected override render() {
    const { preview } = this;
    const { counts } = preview;
    const empty = counts.new + counts.changed === 0 && !(this.bad === "none" && counts.failed);
    const facts = [plural("import_rows", preview.rows_read), preview.header_row ? t("import_header", { n: preview.header_row }) : t("import_header_none"), preview.encoding ?? ""].filter(Boolean);
    const tab = (view: "file" | "form", text: string) => html`<button type="button" aria-pressed=${this.view === view ? "true" : "false"} @click=${() => (this.view = view)}>${text}</button>`;
    return html`<div class="stack">
      <div class="head"><div><h2 id="preview" tabindex="-1">${this.name || preview.sheet || t("import_pasted")}</h2><p class="soft">${facts.join(" · ")}</p></div>
        ${(preview.sheets?.length ?? 0) > 1 ? html`<label class="purpose"><span>${t("import_sheet")}</span><select @change=${(e: Event) => this.dispatchEvent(new CustomEvent("siegel-sheet", { detail: (e.target as HTMLSelectElement).value }))}>${preview.sheets?.map((s) => html`<option ?selected=${s === preview.sheet}>${s}</option>`)}</select></label>` : nothing}</div>
      <dl class="counts">${(["new", "changed", "unchanged", "failed"] as const).map((key) => html`<div class=${key === "failed" && counts.failed ? "bad" : ""}><dt>${t(`count_${key}` as Key)}</dt><dd>${count(counts[key])}</dd></div>`)}</dl>
      <div class="tabs" role="group" aria-label=${t("import_columns")}>${tab("file", t("import_as_is"))}${tab("form", t("import_as_will_be"))}</div>
      ${this.view === "file" ? this.file() : this.will()}
      ${this.settings()}${this.failures()}${this.changes()}
      <p class="row"><button type="button" class="button" ?disabled=${this.busy || empty} @click=${() => this.take()}>${empty ? t("import_commit_none") : t("import_commit")}</button>
        <button type="button" class="quiet" @click=${() => this.dispatchEvent(new CustomEvent("siegel-drop"))}>${t("import_discard")}</button></p>
    </div>`;
  }
}

// Two short fields to a row, long ones alone.
function pairs(fields: Field[]): string[][] {
  const rows: string[][] = [];
  for (const field of fields) {
    const last = rows[rows.length - 1];
    const open = last?.length === 1 && fields.find((f) => f.name === last[0])?.type !== "multiline";
    if (last && open && field.type !== "multiline") last.push(field.name);
    else rows.push([field.name]);
  }
  return rows;
}

define("siegel-preview", Preview_);
