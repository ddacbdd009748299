// The table of one type: page by page, or what a search found. On a narrow screen each row becomes a card.
import { html, nothing } from "lit";
import { ask, enc, Latest, type Page, type Problem, type Shown, type Type } from "./api.js";
import { shown, time } from "./format.js";
import { titled } from "./language.js";
import { Part, define, emptyBox, problemBox, waiting } from "./parts.js";
import { recordsPath, type State } from "./state.js";
import { count, plural, t } from "./texts.js";

const perPage = 50;

class Records extends Part {
  static override properties = { state: {}, type: {}, purpose: {}, page: { state: true }, problem: { state: true }, busy: { state: true }, found: { state: true } };
  declare state: State;
  declare type: Type;
  declare purpose: string | undefined;
  declare private page: Page<Shown> | null;
  declare private problem: Problem | null;
  declare private busy: boolean;
  declare private found: { field: string; value: string } | null; // the search that is shown; never in the address
  private cursors: (string | null)[] = [null];
  private readonly asked = new Latest();

  constructor() {
    super();
    this.page = this.problem = this.found = null;
    this.busy = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.asked.next();
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("type") && !changed.has("purpose")) return;
    this.cursors = [null];
    if (changed.has("type")) {
      this.found = null;
      this.page = null;
    }
    void this.load();
  }

  private async load(): Promise<void> {
    const signal = this.asked.next();
    this.busy = true;
    this.problem = null;
    const cursor = this.cursors[this.cursors.length - 1];
    try {
      const options = { purpose: this.purpose, signal };
      const page = this.found
        ? await ask<Page<Shown>>(`/v1/record-types/${enc(this.type.name)}/search`, {
            ...options,
            method: "POST",
            body: { where: [{ field: this.found.field, op: "prefix", value: this.found.value }], limit: perPage, cursor },
          })
        : await ask<Page<Shown>>(`${recordsPath(this.type.name)}?limit=${perPage}${cursor ? `&cursor=${enc(cursor)}` : ""}`, options);
      if (signal.aborted) return;
      this.page = page;
    } catch (failure) {
      if (signal.aborted) return;
      this.problem = this.caught(failure);
    }
    this.busy = false;
  }

  private turn(cursor: string | null): void {
    if (cursor === null) this.cursors.pop();
    else this.cursors.push(cursor);
    void this.load().then(() => this.querySelector<HTMLElement>("#rows")?.focus({ preventScroll: false }));
  }

  private search(event: Event): void {
    event.preventDefault();
    const data = new FormData(event.target as HTMLFormElement);
    const value = String(data.get("value") ?? "").trim();
    this.found = value ? { field: String(data.get("field")), value } : null;
    this.cursors = [null];
    void this.load();
  }

  private endSearch(): void {
    this.querySelector<HTMLFormElement>("form.search")?.reset();
    this.found = null;
    this.cursors = [null];
    void this.load();
  }

  private searchBox() {
    const fields = this.state.fields(this.type).filter((f) => f.searchable);
    if (!this.state.serves.search || !fields.length) return nothing;
    return html`<form class="search" role="search" @submit=${(event: Event) => this.search(event)}>
      <label><span>${t("search_in")}</span><select name="field">${fields.map((f) => html`<option value=${f.name}>${f.title || f.name}</option>`)}</select></label>
      <label class="grow"><span>${t("search_value")}</span><input name="value" type="search" autocomplete="off" spellcheck="false" title=${t("search_traced")}></label>
      <button class="button">${t("search")}</button>
      ${this.found ? html`<button type="button" class="quiet" @click=${() => this.endSearch()}>${t("search_clear")}</button>` : nothing}
    </form>`;
  }

  private table(page: Page<Shown>) {
    const fields = this.state.fields(this.type);
    const from = (this.cursors.length - 1) * perPage + 1;
    const cell = (record: Shown, field: (typeof fields)[number], first: boolean) => {
      const text = shown(field, record.values[field.name]);
      const gone = !text && record.erased?.includes(field.class);
      const content = gone ? html`<em class="gone">${t("erased_value")}</em>` : text;
      return html`<td data-label=${field.title || field.name} class="${field.type === "integer" || field.type === "decimal" ? "figure" : ""} ${text || gone || first ? "" : "blank"}">
        ${first ? html`<a class="whole" href="/app/records/${record.record}">${content || t("open_record")}</a>` : content}</td>`;
    };
    return html`
      <div class="sheet records" id="rows" tabindex="0" role="region" aria-label=${titled(this.type.title, this.type.name)} aria-busy=${this.busy ? "true" : "false"}>
        <table>
          <thead><tr>${fields.map((f) => html`<th scope="col">${f.title || f.name}</th>`)}<th scope="col">${t("changed_at")}</th></tr></thead>
          <tbody>${page.items.map((record) => html`<tr>
            ${fields.map((field, i) => cell(record, field, i === 0))}
            ${fields.length === 0 ? html`<td><a class="whole" href="/app/records/${record.record}">${t("open_record")}</a></td>` : nothing}
            <td data-label=${t("changed_at")} class="soft nowrap">${time(record.updated_at)}</td></tr>`)}
          </tbody>
        </table>
      </div>
      <nav class="pager" aria-label=${t("paging")}>
        <button type="button" class="quiet" ?disabled=${this.cursors.length === 1 || this.busy} @click=${() => this.turn(null)}>${t("previous_page")}</button>
        <span class="soft">${t("rows_from_to", { from: count(from), to: count(from + page.items.length - 1) })}</span>
        <button type="button" class="quiet" ?disabled=${!page.next || this.busy} @click=${() => this.turn(page.next)}>${t("next_page")}</button>
      </nav>`;
  }

  private hits(page: Page<Shown>): string {
    return page.next ? t("results_more", { n: count(page.items.length) }) : plural("results", page.items.length);
  }

  protected override render() {
    const { page } = this;
    return html`
      <div class="head"><h1>${titled(this.type.title, this.type.name)}</h1>
        <p class="row">${this.state.arranges ? html`<a class="quiet" href="/app/types/${this.type.name}/form">${t("arrange")}</a>` : nothing}
          ${this.state.writes ? html`<a class="button" href="/app/types/${this.type.name}/new">${t("new_record")}</a>` : nothing}</p></div>
      ${this.searchBox()}
      ${problemBox(this.problem, () => void this.load())}
      ${this.found && page && !this.problem && !this.busy ? html`<p class="soft" role="status">${this.hits(page)}</p>` : nothing}
      ${page ? (page.items.length ? this.table(page) : this.nothing_()) : this.problem ? nothing : waiting(10)}
    `;
  }

  private nothing_() {
    if (this.found) return emptyBox(t("nothing_found"), t("nothing_found_help"));
    return emptyBox(t("empty_table"), t("empty_table_help"));
  }
}

define("siegel-records", Records);
