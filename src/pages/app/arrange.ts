// The form of a type: which field comes where and beside which, what must be filled in, and the line of help. By drag,
// by buttons, and with Alt and the arrow keys.
import { html, nothing } from "lit";
import { ask, enc, newKey, type Field, type Problem, type Type } from "./api.js";
import { form } from "./fields.js";
import { titled } from "./language.js";
import { Part, define, go, problemBox, say } from "./parts.js";
import type { State } from "./state.js";
import { named, t } from "./texts.js";

interface Item {
  field: Field;
  beside: boolean; // stands in the row of the one before
}

function items(type: Type): Item[] {
  const out: Item[] = [];
  for (const row of type.form)
    row.forEach((name, i) => {
      const field = type.fields.find((f) => f.name === name);
      if (field) out.push({ field: { ...field }, beside: i > 0 });
    });
  for (const field of type.fields) if (!out.some((item) => item.field.name === field.name)) out.push({ field: { ...field }, beside: false });
  return out;
}

function rows(of: Item[]): string[][] {
  const out: string[][] = [];
  for (const { field, beside } of of) {
    const last = out[out.length - 1];
    if (beside && last) last.push(field.name);
    else out.push([field.name]);
  }
  return out;
}

class Arrange extends Part {
  static override properties = { state: {}, type: {}, items: { state: true }, dragged: { state: true }, problem: { state: true }, busy: { state: true }, changed: { state: true } };
  declare state: State;
  declare type: Type;
  declare private items: Item[];
  declare private dragged: number; // -1: none
  declare private problem: Problem | null;
  declare private busy: boolean;
  declare private changed: boolean;

  constructor() {
    super();
    this.items = [];
    this.dragged = -1;
    this.problem = null;
    this.busy = this.changed = false;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("type")) this.items = items(this.type);
  }

  private move(from: number, to: number): void {
    const item = this.items[from];
    if (!item || to < 0 || to >= this.items.length || from === to) return;
    const rest = this.items.filter((_, i) => i !== from);
    rest.splice(to, 0, item);
    this.items = rest.map((one, i) => (i === 0 ? { ...one, beside: false } : one));
    this.changed = true;
  }

  // The focus goes along with what is moved.
  private step(from: number, by: -1 | 1, control: string): void {
    const to = from + by;
    const item = this.items[from];
    if (!item || to < 0 || to >= this.items.length) return;
    this.move(from, to);
    say(t("arrange_moved", { field: item.field.title || item.field.name, at: to + 1, all: this.items.length }));
    void this.updateComplete.then(() => {
      const card = this.querySelectorAll<HTMLElement>(".arranged > li")[to];
      const same = card?.querySelector<HTMLButtonElement>(control);
      (same && !same.disabled ? same : card?.querySelector<HTMLElement>("button:not(:disabled)"))?.focus();
    });
  }

  private set(at: number, change: Partial<Field>, beside?: boolean): void {
    this.items = this.items.map((item, i) => (i === at ? { field: { ...item.field, ...change }, beside: beside ?? item.beside } : item));
    this.changed = true;
  }

  private async save(): Promise<void> {
    this.busy = true;
    this.problem = null;
    const { name, version, ...definition } = this.type;
    const byName = new Map(this.items.map((item) => [item.field.name, item.field]));
    const fields = this.type.fields.map((f) => byName.get(f.name) ?? f);
    try {
      await ask(`/v1/record-types/${enc(name)}`, { method: "PUT", version, key: newKey(), body: { ...definition, fields, form: rows(this.items) } });
      await this.state.load();
      say(t("saved"));
      if (this.isConnected && this.type.name === name) go(this.state.reads ? `/app/types/${name}` : "/app/");
    } catch (failure) {
      this.problem = this.caught(failure);
    }
    this.busy = false;
  }

  private key(event: KeyboardEvent, at: number): void {
    if (!event.altKey || (event.key !== "ArrowUp" && event.key !== "ArrowDown")) return;
    event.preventDefault();
    this.step(at, event.key === "ArrowUp" ? -1 : 1, event.key === "ArrowUp" ? ".up" : ".down");
  }

  private card(item: Item, at: number) {
    const { field } = item;
    const title = field.title || field.name;
    const id = `arrange-${field.name}`;
    return html`<li class="${item.beside ? "beside" : ""} ${this.dragged === at ? "dragged" : ""}" aria-label=${title} @keydown=${(e: KeyboardEvent) => this.key(e, at)}
        @dragover=${(e: DragEvent) => { if (this.dragged < 0) return; e.preventDefault(); if (this.dragged !== at) { this.move(this.dragged, at); this.dragged = at; } }}
        @drop=${(e: DragEvent) => { e.preventDefault(); this.dragged = -1; }}>
      <div class="row">
        <span class="grip" draggable="true" aria-hidden="true" title=${t("arrange_drag")} @dragstart=${(e: DragEvent) => { e.dataTransfer?.setData("text/plain", field.name); this.dragged = at; }} @dragend=${() => (this.dragged = -1)}>⠿</span>
        <span class="title"><span class="strong">${title}</span><span class="chip">${named("type_", field.type)}</span></span><span class="gap"></span>
        <button type="button" class="quiet up" ?disabled=${at === 0} aria-label=${t("arrange_up", { field: title })} @click=${() => this.step(at, -1, ".up")}>↑</button>
        <button type="button" class="quiet down" ?disabled=${at === this.items.length - 1} aria-label=${t("arrange_down", { field: title })} @click=${() => this.step(at, 1, ".down")}>↓</button>
      </div>
      <div class="row small">
        <label class="check"><input type="checkbox" .checked=${item.beside} ?disabled=${at === 0} @change=${(e: Event) => this.set(at, {}, (e.target as HTMLInputElement).checked)}> ${t("arrange_beside")}</label>
        <label class="check"><input type="checkbox" .checked=${field.required} @change=${(e: Event) => this.set(at, { required: (e.target as HTMLInputElement).checked })}> ${t("arrange_required")}</label>
      </div>
      ${item.beside ? nothing : html`<div class="field slim"><label for="${id}-section">${t("arrange_section")}</label><input id="${id}-section" maxlength="200" .value=${field.section ?? ""} @input=${(e: Event) => this.set(at, { section: (e.target as HTMLInputElement).value })}></div>`}
      <div class="field slim"><label for=${id}>${t("arrange_help")}</label><input id=${id} maxlength="200" .value=${field.help ?? ""} @input=${(e: Event) => this.set(at, { help: (e.target as HTMLInputElement).value })}></div>
    </li>`;
  }

  protected override render() {
    const { type } = this;
    const fields = this.items.map((item) => item.field);
    const shown: Type = { ...type, fields, form: rows(this.items) };
    return html`<p class="crumb"><a href=${this.state.reads ? `/app/types/${type.name}` : "/app/"}>${titled(type.title, type.name)}</a></p>
      <div class="head"><div><h1>${t("arrange")}</h1><p class="soft">${t("arrange_how")}</p></div></div>
      ${problemBox(this.problem)}
      <div class="two even">
        <ol class="arranged">${this.items.map((item, i) => this.card(item, i))}</ol>
        <section class="card sticky" aria-labelledby="as"><h2 id="as">${t("import_as_will_be")}</h2>
          <fieldset class="mock" disabled>${form({ type: shown, fields, values: {}, wrong: new Map(), change: () => {} })}</fieldset></section>
      </div>
      <p class="row foot keep"><button type="button" class="button" ?disabled=${this.busy || !this.changed} @click=${() => void this.save()}>${t("save")}</button>
        ${this.changed ? html`<button type="button" class="quiet" @click=${() => { this.items = items(type); this.changed = false; }}>${t("discard")}</button>` : nothing}</p>`;
  }
}

define("siegel-arrange", Arrange);
