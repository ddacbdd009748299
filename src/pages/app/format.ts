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

function date(text: string): string {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text);
  if (!parts) return text;
  return language() === "de" ? `${parts[3]}.${parts[2]}.${parts[1]}` : text;
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
  return t("by_token", { id: tail(item.actor) });
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
