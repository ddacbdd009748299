// Values as people write them, exactly: figures keep every digit that was stored.
import type { Field, HistoryItem, Session, Value } from "./api.js";
import { language } from "./language.js";
import { t } from "./texts.js";

export function shown(field: Field | undefined, value: Value | undefined): string {
  if (value === null || value === undefined || value === "") return "";
  if (Array.isArray(value)) return value.join(", ");
  if (typeof value === "boolean") return value ? t("yes") : t("no");
  switch (field?.type) {
    case "date":
      return date(value);
    case "datetime":
      return time(value);
    case "decimal":
      return decimalOut(value);
    default:
      return value;
  }
}

// As it is written into the form: in the page's language, which the browser's own control for dates does not follow.
function date(text: string): string {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return text;
  return language() === "de" ? `${parts[3]}.${parts[2]}.${parts[1]}` : text;
}

// 1990-12-31, 31.12.1990 and 1.2.1990, for none of them could be another day; null: no day of the calendar.
export function dateIn(text: string): string | null {
  const german = /^(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})$/.exec(text.trim());
  const day = german ? `${german[3]}-${(german[2] ?? "").padStart(2, "0")}-${(german[1] ?? "").padStart(2, "0")}` : text.trim();
  if (!/^\d{4}-\d{2}-\d{2}$/.test(day)) return null;
  const at = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(at.getTime()) && at.toISOString().startsWith(day) ? day : null;
}

// A moment in the time of this device, to the minute, and finer where it is stored finer.
function timeOut(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  const two = (n: number, digits = 2) => String(n).padStart(digits, "0");
  const day = date(`${two(at.getFullYear(), 4)}-${two(at.getMonth() + 1)}-${two(at.getDate())}`);
  const finer = at.getMilliseconds() ? `:${two(at.getSeconds())}.${two(at.getMilliseconds(), 3)}` : at.getSeconds() ? `:${two(at.getSeconds())}` : "";
  return `${day} ${two(at.getHours())}:${two(at.getMinutes())}${finer}`;
}

export function timeIn(text: string): string | null {
  const parts = /^(.+?)(?:T|,?\s+)(\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,3}))?)?(?:\s*Uhr)?$/.exec(text.trim());
  const day = dateIn(parts?.[1] ?? "");
  if (!parts || !day) return null;
  const at = new Date(`${day}T${(parts[2] ?? "").padStart(2, "0")}:${parts[3]}:${parts[4] ?? "00"}.${(parts[5] ?? "").padEnd(3, "0")}`);
  return Number.isNaN(at.getTime()) ? null : at.toISOString();
}

// A value as people write it into the form, and back; undefined: it does not say one thing.
export function written(field: Field, value: Value | undefined): Value {
  if (typeof value !== "string") return value ?? null;
  if (field.type === "decimal") return decimalOut(value);
  if (field.type === "date") return date(value);
  return field.type === "datetime" ? timeOut(value) : value;
}

export function meant(field: Field, typed: Value | undefined): Value | undefined {
  if (typeof typed !== "string" || !typed) return typed ?? null;
  if (field.type === "decimal") return decimalIn(typed) ?? undefined;
  if (field.type === "date") return dateIn(typed) ?? undefined;
  return field.type === "datetime" ? (timeIn(typed) ?? undefined) : typed;
}

// What to say of one that does not.
export function notMeant(field: Field): string {
  if (field.type === "decimal") return t("decimal_wrong");
  return field.type === "date" ? t("date_wrong") : t("datetime_wrong");
}

export function time(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) return text;
  return new Intl.DateTimeFormat(language() === "de" ? "de-DE" : "en-GB", { dateStyle: "medium", timeStyle: "short" }).format(at);
}

export function actor(item: HistoryItem, session: Session): string {
  if (item.actor === session.token_id) return t("you");
  if (item.actor === "system") return t("system");
  if (item.actor.startsWith("su_")) return t("the_person");
  return item.actor_label ?? t("by_token", { id: tail(item.actor) });
}

// The end of a token's id: its beginning is the time at which it was made.
export function tail(token: string): string {
  return `…${token.slice(-8)}`;
}

// A decimal as it is written into the form: German with a comma. What has the other sign could be meant as thousands, and
// is asked about instead of guessed (null).
export function decimalIn(text: string): string | null {
  if (language() !== "de") return text.includes(",") ? null : text;
  return text.includes(".") ? null : text.replace(",", ".");
}

export function decimalOut(text: string): string {
  return language() === "de" ? text.replace(".", ",") : text;
}

// The same value, whatever order a list came in.
export function same(a: Value | undefined, b: Value | undefined): boolean {
  const plain = (v: Value | undefined) => (v === undefined || v === "" || (Array.isArray(v) && v.length === 0) ? null : v);
  return JSON.stringify(plain(a)) === JSON.stringify(plain(b));
}

// "Kontakte 2026" -> "kontakte-2026": a name as the contract wants it.
export function nameOf(title: string): string {
  const plain = title
    .toLowerCase()
    .replace(/ä/g, "ae").replace(/ö/g, "oe").replace(/ü/g, "ue").replace(/ß/g, "ss")
    .normalize("NFKD")
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+|-+$/g, "");
  return plain.slice(0, 63) || "type";
}

// "P3Y" in words.
export function lasting(period: string): string {
  const part = /^P(\d+)([YMWD])$/.exec(period);
  if (!part) return period;
  const unit = { Y: "year", M: "month", W: "week", D: "day" }[part[2] ?? "D"] ?? "day";
  return new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long" }).format(Number(part[1]));
}
