// The server, as the pages see it. Personal values go into bodies only, never into an address.
import { language } from "./language.js";
import { plural, t } from "./texts.js";

export type Value = string | boolean | string[] | null;
export type Values = Record<string, Value>;

export interface Session {
  token_id: string;
  role: string;
  label: string;
  purposes: string[] | null; // null: all
  types: string[] | null;
  expires_at: string | null;
}
export interface Welcome {
  session: Session | null;
  default_purpose?: string | null;
  idle_s?: number;
  version?: string;
  serves?: { search: boolean; imports: boolean };
}
export interface Field {
  name: string;
  title: string;
  type: string;
  personal: boolean;
  required: boolean;
  searchable: boolean;
  class: string;
  choices?: string[];
  help?: string;
  section?: string; // heading above its row of the form
}
export interface Type {
  name: string;
  version: number;
  title: Record<string, string>;
  subject: { mode: "none" | "row" | "match"; fields?: string[] };
  default_purpose?: string;
  fields: Field[];
  form: string[][];
}
export interface Purpose {
  name: string;
  title: Record<string, string>;
  legal_ground: string;
  fields?: Record<string, string[]>;
}
export interface DeletionClass {
  name: string;
  period: string;
  start: string;
  note: string;
  built_in: boolean;
}
export interface Shown {
  record: string;
  type: string;
  subject: string | null;
  version: number;
  values: Values;
  updated_at: string;
  erased?: string[];
}
export interface Page<T> {
  items: T[];
  next: string | null;
}
export interface HistoryItem {
  seq: number;
  at: string;
  type: string;
  actor: string;
  actor_label?: string;
  purpose: string | null;
  legal_ground: string;
  reason?: string;
  import?: string;
  changes: { field: string; old: Value; new: Value }[];
  erased?: string[];
}
export interface Erasure {
  erasure: string;
  ground: string;
  requested_at: string;
  effective_at?: string;
}
export interface Token {
  token_id: string;
  role: string;
  label: string;
  all_purposes: boolean;
  purposes: string[];
  all_types: boolean;
  types: string[];
  created_at: string;
  expires_at: string | null;
  revoked: boolean;
}

export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly requestId: string = "",
    readonly pointer: string = "",
    readonly reason: string = "",
    readonly erasure: string = "",
  ) {
    super(detail);
  }
}

export interface Asked {
  method?: string;
  body?: unknown;
  raw?: BodyInit;
  contentType?: string;
  purpose?: string | undefined;
  version?: number | undefined;
  key?: string | undefined;
  create?: boolean; // only if it is not there yet
  signal?: AbortSignal;
}

let over: () => void = () => {};
export function whenSessionIsOver(then: () => void): void {
  over = then;
}

let answered: (sent: number) => void = () => {};
export function whenAnswered(then: (sent: number) => void): void {
  answered = then;
}

// What was asked in a session that is gone ends no later one.
let visit = 0;
export function newVisit(): void {
  ++visit;
}

export async function send(path: string, asked: Asked = {}): Promise<Response> {
  const headers: Record<string, string> = { "Siegel-Page": "1", "Accept-Language": language() };
  if (asked.purpose) headers["Siegel-Purpose"] = asked.purpose;
  if (asked.version !== undefined) headers["If-Match"] = `"${asked.version}"`;
  if (asked.create) headers["If-None-Match"] = "*";
  if (asked.key) headers["Idempotency-Key"] = asked.key;
  const init: RequestInit = { method: asked.method ?? "GET", headers, credentials: "same-origin", redirect: "error" };
  if (asked.signal) init.signal = asked.signal;
  if (asked.body !== undefined) {
    headers["Content-Type"] = "application/json";
    init.body = JSON.stringify(asked.body);
  } else if (asked.raw !== undefined) {
    if (asked.contentType) headers["Content-Type"] = asked.contentType;
    init.body = asked.raw;
  }
  let answer: Response;
  const sent = Date.now();
  const asking = visit;
  try {
    answer = await fetch(path, init);
  } catch (failure) {
    if (asked.signal?.aborted) throw failure;
    throw new Problem(0, "server_away", t("server_away"));
  }
  // What the API refuses to a session that it knows is use of it as well.
  if (answer.ok || (path.startsWith("/v1/") && answer.status !== 401 && answer.status < 500)) answered(sent);
  if (answer.ok) return answer;
  const problem = await read(answer);
  if (answer.status === 401 && path.startsWith("/v1/") && asking === visit) over();
  throw problem;
}

async function read(answer: Response): Promise<Problem> {
  try {
    const body = await answer.json();
    const wait = Number(answer.headers.get("Retry-After") ?? 0);
    const detail = `${body.detail}${answer.status === 429 && wait ? ` ${plural("again_in", wait)}` : ""}`;
    return new Problem(answer.status, String(body.code), detail, String(body.request_id ?? ""), String(body.pointer ?? ""), String(body.reason ?? ""), String(body.erasure ?? ""));
  } catch {
    return new Problem(answer.status, "internal", t("problem"), answer.headers.get("Siegel-Request-Id") ?? "");
  }
}

// Only the last question counts: what was asked before is broken off, and an answer that is there already is dropped
// by whoever finds its signal aborted.
export class Latest {
  private asked = new AbortController();

  get signal(): AbortSignal {
    return this.asked.signal;
  }
  next(): AbortSignal {
    this.asked.abort();
    this.asked = new AbortController();
    return this.asked.signal;
  }
}

export async function ask<T>(path: string, asked: Asked = {}): Promise<T> {
  const answer = await send(path, asked);
  return (answer.status === 204 ? null : await answer.json()) as T;
}

// One for each intention: a repeated press does not do it twice.
export function newKey(): string {
  return `page-${Array.from(crypto.getRandomValues(new Uint8Array(12)), (b) => b.toString(16).padStart(2, "0")).join("")}`;
}

export const enc = encodeURIComponent;
