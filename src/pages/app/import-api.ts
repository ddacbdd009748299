// Imports as the server tells them (contract section 2), and what the page sends back.
import { ask, enc, send, type Asked, type Value } from "./api.js";

export interface Column {
  title: string;
  field: string | null; // none: no field of the type takes it
  type: string;
  reason: string;
  personal?: boolean;
  cells: number; // that hold something
  exceptions: number;
  examples: string[];
  exception_examples?: string[];
}
export interface Counts {
  new: number;
  changed: number;
  unchanged: number;
  failed: number;
}
export interface Import {
  import: string;
  state: "previewed" | "committing" | "finished" | "undoing" | "undone" | "cancelled" | "expired" | "failed";
  type?: string | null;
  at?: string;
  counts: Counts;
  done?: number;
  undone?: { removed: number; restored: number; kept: number };
  kept?: { row: number; record?: string | null; reason: string }[];
  error?: string | null;
}
export interface Preview extends Import {
  expires_at: string;
  sheet?: string;
  sheets?: string[];
  encoding?: string;
  delimiter?: string;
  header_row: number; // 0: none
  rows_read: number;
  columns: Column[];
  identity?: string[];
  changes: { row: number; record: string; field: string; old: Value; new: Value }[];
  failures: { row: number; column: string | null; code: string }[];
}
export interface Commit {
  bad_rows: "skip" | "none";
  types: Record<string, string>; // of fields, where they are not as guessed
  // of a new type
  create_type?: string;
  title?: Record<string, string>;
  class?: string;
  subject?: { mode: "none" | "row" | "match"; fields?: string[] };
  default_purpose?: string;
}

// What is sent: cells from the clipboard, or a file as it is.
export interface Source {
  name: string;
  body: Blob;
  kind: string;
}

const kinds: Record<string, string> = {
  csv: "text/csv",
  txt: "text/tab-separated-values",
  tsv: "text/tab-separated-values",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  ods: "application/vnd.oasis.opendocument.spreadsheet",
  ndjson: "application/x-ndjson",
};

export function fromFile(file: File): Source {
  const ending = file.name.slice(file.name.lastIndexOf(".") + 1).toLowerCase();
  return { name: file.name, body: file, kind: kinds[ending] ?? "application/octet-stream" };
}

export function fromText(text: string): Source {
  return { name: "", body: new Blob([text]), kind: "text/tab-separated-values" };
}

export interface How {
  type: string;
  match: string[];
  sheet: string;
  columns: Record<string, string | null>; // by title: its field, null for none; others go by their titles
}

// Names of a type, of fields and of a sheet are no personal values; everything else goes into the body.
export function preview(source: Source, how: How, asked: Asked): Promise<Preview> {
  if (Object.keys(how.columns).length) return previewForm(source, how, asked);
  const query = new URLSearchParams();
  if (how.type) query.set("type", how.type);
  if (how.match.length) query.set("match", how.match.join(","));
  if (how.sheet) query.set("sheet", how.sheet);
  const words = query.toString();
  return ask<Preview>(`/v1/imports${words ? `?${words}` : ""}`, { ...asked, method: "POST", raw: source.body, contentType: source.kind });
}

function previewForm(source: Source, how: How, asked: Asked): Promise<Preview> {
  const { type, match, sheet, columns } = how;
  const options = { ...(type ? { type } : {}), ...(match.length ? { match } : {}), ...(sheet ? { sheet } : {}), columns };
  const form = new FormData();
  form.set("options", new Blob([JSON.stringify(options)], { type: "application/json" }));
  form.set("file", new Blob([source.body], { type: source.kind }));
  return ask<Preview>("/v1/imports", { ...asked, method: "POST", raw: form });
}

export function commit(id: string, body: Commit, asked: Asked): Promise<Import> {
  return ask<Import>(`/v1/imports/${enc(id)}/commit`, { ...asked, method: "POST", body });
}

export function undo(id: string, asked: Asked): Promise<Import> {
  return ask<Import>(`/v1/imports/${enc(id)}/undo`, { ...asked, method: "POST" });
}

export function cancel(id: string): Promise<unknown> {
  return ask(`/v1/imports/${enc(id)}`, { method: "DELETE" });
}

// Until it is over; told of each step on the way.
export async function follow(id: string, step: (now: Import) => void, signal: AbortSignal): Promise<Import> {
  for (let wait = 150; ; wait = Math.min(wait * 1.5, 1500)) {
    const now = await ask<Import>(`/v1/imports/${enc(id)}`, { signal });
    if (signal.aborted) throw new DOMException("", "AbortError");
    step(now);
    if (now.state !== "committing" && now.state !== "undoing") return now;
    await new Promise((then) => setTimeout(then, wait));
    if (signal.aborted) throw new DOMException("", "AbortError");
  }
}

// By script: a plain link would come without the header that says whose request it is.
export async function saveRejects(id: string, asked: Asked): Promise<void> {
  const answer = await send(`/v1/imports/${enc(id)}/rejects`, asked);
  const url = URL.createObjectURL(await answer.blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = `siegel-${id}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
