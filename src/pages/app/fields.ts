// The form of a record: one control for each type of field, arranged as the type says.
import { html, nothing, type TemplateResult } from "lit";
import type { Field, Type, Value, Values } from "./api.js";
import { has, t, type Key } from "./texts.js";

export interface Form {
  type: Type;
  fields: Field[]; // those that the purpose covers
  values: Values;
  wrong: ReadonlyMap<string, string>; // field → what is wrong with it
  change: (field: Field, value: Value) => void;
}

export interface Section {
  title: string; // empty: what stands before the first one
  rows: Field[][];
}

// The rows of the form, by its sections; those that the purpose does not cover are left out, and what is empty then.
export function sections(type: Type, fields: Field[]): Section[] {
  const byName = new Map(type.fields.map((f) => [f.name, f]));
  const covered = new Map(fields.map((f) => [f.name, f]));
  const placed = new Set(type.form.flat());
  const rows = [...type.form, ...type.fields.filter((f) => !placed.has(f.name)).map((f) => [f.name])];
  const out: Section[] = [{ title: "", rows: [] }];
  for (const names of rows) {
    const title = byName.get(names[0] ?? "")?.section;
    if (title) out.push({ title, rows: [] });
    const row = names.map((name) => covered.get(name)).filter((f) => f !== undefined);
    if (row.length) out[out.length - 1]?.rows.push(row);
  }
  return out.filter((section) => section.rows.length);
}

export function form(form: Form): TemplateResult {
  const rows = (section: Section) => section.rows.map((row) => html`<div class="fields">${row.map((field) => control(form, field))}</div>`);
  return html`<div class="form">${sections(form.type, form.fields).map((section) =>
    section.title ? html`<fieldset class="section"><legend>${section.title}</legend>${rows(section)}</fieldset>` : rows(section))}</div>`;
}

function control(form: Form, field: Field): TemplateResult {
  const id = `field-${field.name}`;
  const wrong = form.wrong.get(field.name);
  const help = field.help || (has(`${field.type}_help`) ? t(`${field.type}_help` as Key) : "");
  const described = [wrong ? `${id}-wrong` : "", help ? `${id}-help` : ""].filter(Boolean).join(" ") || nothing;
  const notes = html`
    ${wrong ? html`<p class="wrong" id="${id}-wrong">${wrong}</p>` : nothing}
    ${help ? html`<p class="help" id="${id}-help">${help}</p>` : nothing}`;
  const title = html`${field.title || field.name}${field.required ? html` <span class="must" aria-hidden="true">*</span>` : nothing}`;
  if (field.type === "multichoice") {
    const chosen = Array.isArray(form.values[field.name]) ? (form.values[field.name] as string[]) : [];
    return html`<fieldset class="field" aria-describedby=${described}><legend>${title}</legend>
      ${(field.choices ?? chosen).map((choice) => html`<label class="check"><input type="checkbox" .checked=${chosen.includes(choice)}
        @change=${(e: Event) => form.change(field, (e.target as HTMLInputElement).checked ? [...chosen, choice] : chosen.filter((c) => c !== choice))}> ${choice}</label>`)}
      ${notes}</fieldset>`;
  }
  return html`<div class="field"><label for=${id}>${title}</label>${input(form, field, id, described, wrong !== undefined)}${notes}</div>`;
}

function input(form: Form, field: Field, id: string, described: string | typeof nothing, wrong: boolean): TemplateResult {
  const value = form.values[field.name] ?? null;
  const text = typeof value === "string" ? value : "";
  const take = (e: Event) => form.change(field, (e.target as HTMLInputElement).value || null);
  const invalid = wrong ? "true" : nothing;
  switch (field.type) {
    case "multiline":
      return html`<textarea id=${id} rows="4" .value=${text} ?required=${field.required} aria-describedby=${described} aria-invalid=${invalid} @input=${take}></textarea>`;
    case "boolean":
      return html`<select id=${id} ?required=${field.required} aria-describedby=${described} aria-invalid=${invalid}
        @change=${(e: Event) => { const v = (e.target as HTMLSelectElement).value; form.change(field, v === "" ? null : v === "true"); }}>
        <option value="" ?selected=${value === null}></option>
        <option value="true" ?selected=${value === true}>${t("yes")}</option>
        <option value="false" ?selected=${value === false}>${t("no")}</option></select>`;
    case "choice":
      if (field.choices?.length)
        return html`<select id=${id} ?required=${field.required} aria-describedby=${described} aria-invalid=${invalid} @change=${take}>
          <option value="" ?selected=${text === ""}></option>
          ${field.choices.map((choice) => html`<option value=${choice} ?selected=${choice === text}>${choice}</option>`)}</select>`;
      break;
    default:
      break;
  }
  const kinds: Record<string, string> = { email: "email", phone: "tel", url: "url" };
  const mode = field.type === "integer" ? "numeric" : field.type === "decimal" ? "decimal" : nothing;
  return html`<input id=${id} type=${kinds[field.type] ?? "text"} inputmode=${mode} .value=${text} ?required=${field.required} autocomplete="off" aria-describedby=${described} aria-invalid=${invalid} @input=${take}>`;
}
