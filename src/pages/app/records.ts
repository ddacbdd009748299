// The table of one type: page by page, or what a search found. On a narrow screen each row becomes a card.
import { html, nothing } from "lit";
import { ask, enc, Latest, Problem, type Field, type Page, type Shown, type Type } from "./api.js";
import { notMeant, shown, time } from "./format.js";
import { titled } from "./language.js";
import { Part, define, emptyBox, problemBox, waiting } from "./parts.js";
import { byBeginning, condition, control, type Condition } from "./search.js";
import { recordsPath, type State } from "./state.js";
import { count, plural, t } from "./texts.js";

const perPage = 50;

interface Sort {
  field: string;
  descending: boolean;
}

class Records extends Part {
  static override properties = { state: {}, type: {}, purpose: {}, page: { state: true }, problem: { state: true }, busy: { state: true }, found: { state: true }, sort: { state: true }, field: { state: true }, wrong: { state: true } };
  declare state: State;
  declare type: Type;
  declare purpose: string | undefined;
  declare private page: Page<Shown> | null;
  declare private problem: Problem | null;
  declare private busy: boolean;
  declare private found: Condition | null; // the search that is shown; never in the address
  declare private sort: Sort | null; // of what was found
  declare private field: string; // to search in; "": the first one
  declare private wrong: string; // with what is to be searched for
  private cursors: (string | null)[] = [null];
  private readonly asked = new Latest();

  constructor() {
    super();
    this.page = this.problem = this.found = this.sort = null;
    this.busy = false;
    this.field = this.wrong = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener("resize", this.hint);
  }
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener("resize", this.hint);
    this.asked.next();
  }

  // Not every browser shows that a table goes on sideways.
  private hint = (): void => {
    const rows = this.querySelector<HTMLElement>("#rows");
    if (rows) this.querySelector(".hint")?.classList.toggle("needed", rows.scrollWidth > rows.clientWidth);
  };
  protected override updated(): void {
    this.hint();
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (!changed.has("type") && !changed.has("purpose")) return;
    this.cursors = [null];
    if (changed.has("type")) {
      this.page = null;
      this.field = "";
    }
    if (this.sort && !this.state.fields(this.type).some((f) => f.name === this.sort?.field)) this.sort = null;
    if (this.found && (changed.has("type") || !this.searchable.some((f) => f.name === this.found?.field))) this.found = null;
    this.wrong = "";
    void this.load();
  }

  // before: back to what is shown, where it stays.
  private async load(before?: () => void): Promise<void> {
    const signal = this.asked.next();
    this.busy = true;
    this.problem = null;
    const cursor = this.cursors[this.cursors.length - 1];
    try {
      const options = { purpose: this.purpose, signal };
      const more = (cursor: string | null) =>
        this.found
          ? ask<Page<Shown>>(`/v1/record-types/${enc(this.type.name)}/search`, {
              ...options,
              method: "POST",
              body: { where: [this.found], ...(this.sort ? { sort: this.sort } : { limit: perPage, cursor }) },
            })
          : ask<Page<Shown>>(`${recordsPath(this.type.name)}?limit=${perPage}${cursor ? `&cursor=${enc(cursor)}` : ""}`, options);
      // A page is empty, and not the last one, where the server passed over much that nobody sees.
      let page = await more(cursor ?? null);
      while (page.next && !page.items.length) page = await more(page.next);
      if (signal.aborted) return;
      this.page = page;
    } catch (failure) {
      if (signal.aborted) return;
      const problem = this.caught(failure);
      this.problem = problem.reason === "too_many_to_sort" ? new Problem(problem.status, problem.code, t("sort_too_many")) : problem;
      before?.(); // what is shown stays as it is
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
    const form = event.target as HTMLFormElement;
    const typed = String(new FormData(form).get("value") ?? "").trim();
    const field = this.searched;
    const found = typed && field ? condition(field, typed) : null;
    this.wrong = !typed || found ? "" : field && ["decimal", "date", "datetime"].includes(field.type) ? notMeant(field) : t("search_wrong");
    if (this.wrong) return void form.querySelector<HTMLElement>("[name=value]")?.focus();
    this.found = found;
    this.sort = null;
    this.cursors = [null];
    void this.load();
  }

  // Up, down, and back to the order in which they are kept.
  private sortBy(field: string): void {
    const { sort, cursors } = this;
    const same = sort?.field === field ? sort : null;
    this.sort = same?.descending ? null : { field, descending: same !== null };
    this.cursors = [null];
    const back = () => {
      this.sort = sort;
      this.cursors = cursors;
    };
    void this.load(back).then(() => this.querySelector<HTMLElement>(`[data-sort="${field}"]`)?.focus());
  }

  // Only what was found can be sorted: whoever is sorted is looked at, and stands in the ledger.
  private heading(field: Field) {
    const title = field.title || field.name;
    if (!this.found) return html`<th scope="col">${title}</th>`;
    const sort = this.sort?.field === field.name ? this.sort : null;
    return html`<th scope="col" aria-sort=${sort ? (sort.descending ? "descending" : "ascending") : nothing}><button type="button" class="sort" data-sort=${field.name} title=${t("sort_by")} ?disabled=${this.busy} @click=${() => this.sortBy(field.name)}>${title}<span aria-hidden="true">${sort ? (sort.descending ? " ↓" : " ↑") : " ↕"}</span></button></th>`;
  }

  private endSearch(): void {
    this.querySelector<HTMLFormElement>("form.search")?.reset();
    this.found = this.sort = null;
    this.field = this.wrong = "";
    this.cursors = [null];
    void this.load();
  }

  private get searchable(): Field[] {
    return this.state.fields(this.type).filter((f) => f.searchable);
  }
  private get searched(): Field | undefined {
    const fields = this.searchable;
    return fields.find((f) => f.name === this.field) ?? fields[0];
  }

  private searchBox() {
    const { searched } = this;
    if (!this.state.serves.search || !searched) return nothing;
    const choose = (event: Event) => {
      this.field = (event.target as HTMLSelectElement).value;
      this.wrong = "";
    };
    return html`<form class="search" role="search" @submit=${(event: Event) => this.search(event)}>
      <label><span>${t("search_in")}</span><select name="field" @change=${choose}>${this.searchable.map((f) => html`<option value=${f.name} .selected=${f === searched}>${f.title || f.name}</option>`)}</select></label>
      <label class="grow"><span>${byBeginning(searched) ? t("search_value") : t("search_whole")}</span>${control(searched, this.wrong)}</label>
      <button class="button">${t("search")}</button>
      ${this.found ? html`<button type="button" class="quiet" @click=${() => this.endSearch()}>${t("search_clear")}</button>` : nothing}
      ${this.wrong ? html`<p class="wrong" id="search-wrong" role="alert">${this.wrong}</p>` : nothing}
    </form>`;
  }

  private table(page: Page<Shown>) {
    const fields = this.state.fields(this.type);
    const from = (this.cursors.length - 1) * perPage + 1;
    const cell = (record: Shown, field: (typeof fields)[number], first: boolean) => {
      const text = shown(field, record.values[field.name]);
      const gone = !text && record.erased?.includes(field.class);
      const parts = text.includes("@") ? text.split("@").map((part, i) => (i ? html`@<wbr>${part}` : part)) : text; // not broken in a word
      const content = gone ? html`<em class="gone">${t("erased_value")}</em>` : parts;
      return html`<td data-label=${field.title || field.name} class="${field.type === "integer" || field.type === "decimal" ? "figure" : ""} ${text || gone || first ? "" : "blank"}">
        ${first ? html`<a class="whole" href=${this.state.recordPage(this.type, record.record)}>${content || t("open_record")}</a>` : content}</td>`;
    };
    return html`
      <p class="soft small hint" aria-hidden="true">${t("more_columns")} →</p>
      <div class="sheet records" id="rows" tabindex="0" role="region" aria-label=${titled(this.type.title, this.type.name)} aria-busy=${this.busy ? "true" : "false"}>
        <table>
          <thead><tr>${fields.map((f) => this.heading(f))}${fields.length ? nothing : html`<th scope="col">${t("record")}</th>`}<th scope="col">${t("changed_at")}</th></tr></thead>
          <tbody>${page.items.map((record) => html`<tr>
            ${fields.map((field, i) => cell(record, field, i === 0))}
            ${fields.length === 0 ? html`<td><a class="whole" href=${this.state.recordPage(this.type, record.record)}>${t("open_record")}</a></td>` : nothing}
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
      ${this.found && page && !this.problem && !this.busy && !this.wrong ? html`<p class="soft" role="status">${this.hits(page)}</p>` : nothing}
      ${this.wrong ? nothing : this.rows(page)}
    `;
  }

  // "Nothing found" is said of what was asked last only.
  private rows(page: Page<Shown> | null) {
    if (page?.items.length) return this.table(page);
    if (this.problem) return nothing;
    return page && !this.busy ? this.nothing_() : waiting(10);
  }

  private nothing_() {
    const { found } = this;
    const help = (field: Field | undefined) => (byBeginning(field) ? t("nothing_found_help") : t("nothing_found_whole"));
    if (found) return emptyBox(t("nothing_found"), help(this.type.fields.find((f) => f.name === found.field)));
    return emptyBox(t("empty_table"), t("empty_table_help"));
  }
}

define("siegel-records", Records);
