// Looking for records by a field: the control that suits its type, and what the server is asked. Text is found by the
// beginning of a word, everything else as a whole, and all of it in the form in which the table shows it.
import { html, nothing, type TemplateResult } from "lit";
import type { Field } from "./api.js";
import { dateIn, decimalIn, timeIn } from "./format.js";
import { t } from "./texts.js";

export interface Condition {
  field: string;
  op: "exact" | "prefix" | "word";
  value: string | boolean;
}

const whole = ["integer", "decimal", "date", "datetime", "boolean", "choice", "multichoice"];

export function byBeginning(field: Field | undefined): boolean {
  return field !== undefined && !whole.includes(field.type);
}

// null: what is typed is not of the field's type, or could mean two things.
export function condition({ name: field, type }: Field, typed: string): Condition | null {
  switch (type) {
    case "boolean":
      return { field, op: "exact", value: typed === "true" };
    case "decimal": {
      const value = decimalIn(typed);
      return value === null ? null : { field, op: "exact", value };
    }
    case "datetime": {
      // Stored to the millisecond in UTC; shown, and looked for, to the minute of the browser's place.
      const at = timeIn(typed);
      return at === null ? null : { field, op: "prefix", value: at.slice(0, 16) };
    }
    case "date": {
      const value = dateIn(typed);
      return value === null ? null : { field, op: "exact", value };
    }
    default:
      return { field, op: whole.includes(type) ? "exact" : "word", value: typed };
  }
}

export function control(field: Field, wrong: string): TemplateResult {
  const invalid = wrong ? "true" : nothing;
  const described = wrong ? "search-wrong" : nothing;
  const choices = field.type === "boolean" ? [["true", t("yes")] as const, ["false", t("no")] as const] : field.choices?.map((choice) => [choice, choice] as const);
  if (choices && whole.includes(field.type))
    return html`<select name="value" title=${t("search_traced")}><option value=""></option>${choices.map(([value, title]) => html`<option value=${value}>${title}</option>`)}</select>`;
  const mode = field.type === "integer" ? "numeric" : field.type === "decimal" ? "decimal" : nothing;
  const example = field.type === "date" ? t("date_example") : field.type === "datetime" ? t("datetime_example") : nothing;
  return html`<input name="value" type="search" inputmode=${mode} placeholder=${example} autocomplete="off" spellcheck="false" title=${t("search_traced")} aria-invalid=${invalid} aria-describedby=${described}>`;
}
