// What every page needs to know: who is signed in, which types and purposes there are, and the purpose in use.
import { ask, enc, type Page, type Purpose, type Session, type Type, type Welcome } from "./api.js";
import { titled } from "./language.js";

// The server decides; these only keep away what it would refuse.
export const roles = {
  reads: ["editor", "privacy_officer", "sender"],
  readsHistory: ["editor", "privacy_officer"],
  readsErasures: ["privacy_officer", "admin"],
  writes: ["editor"],
  arranges: ["editor", "admin"],
  rules: ["privacy_officer", "admin"],
  administers: ["admin"],
};

export class State {
  session: Session;
  types: Type[] = [];
  others: Type[] = []; // that the token does not carry
  purposes: Purpose[] = [];
  readonly serves: { search: boolean; imports: boolean };
  readonly version: string;
  private readonly preferred: string | null;
  private chosen = "";

  constructor(welcome: Welcome & { session: Session }) {
    this.session = welcome.session;
    this.serves = welcome.serves ?? { search: false, imports: false };
    this.version = welcome.version ?? "";
    this.preferred = welcome.default_purpose ?? null;
  }

  async load(): Promise<void> {
    const [types, purposes] = await Promise.all([
      ask<Page<Type>>("/v1/record-types"),
      ask<Page<Purpose>>("/v1/purposes"),
    ]);
    const carried = (type: Type) => this.session.types === null || this.session.types.includes(type.name);
    this.types = types.items.filter(carried);
    this.others = types.items.filter((type) => !carried(type));
    this.purposes = purposes.items.filter((p) => this.session.purposes === null || this.session.purposes.includes(p.name));
  }

  private may(what: keyof typeof roles): boolean {
    return roles[what].includes(this.session.role);
  }
  get reads(): boolean {
    return this.may("reads");
  }
  get readsHistory(): boolean {
    return this.may("readsHistory");
  }
  get readsErasures(): boolean {
    return this.may("readsErasures");
  }
  get writes(): boolean {
    return this.may("writes");
  }
  get arranges(): boolean {
    return this.may("arranges");
  }
  get rules(): boolean {
    return this.may("rules");
  }
  get administers(): boolean {
    return this.may("administers");
  }
  get imports(): boolean {
    return this.serves.imports && this.writes;
  }

  type(name: string): Type | undefined {
    return this.types.find((type) => type.name === name);
  }

  // As chosen; else the type's own, the configured one, or the only one. Of several none is guessed, for what is read
  // stands in the ledger under it. Where the type is not known: the one that holds for all types, if there is one.
  purpose(type?: Type): string | undefined {
    const may = (name: string | null | undefined) => this.purposes.some((p) => p.name === name);
    if (may(this.chosen)) return this.chosen;
    if (type?.default_purpose && may(type.default_purpose)) return type.default_purpose;
    if (this.preferred && may(this.preferred)) return this.preferred;
    if (type || !this.types.length) return this.purposes.length === 1 ? this.purposes[0]?.name : undefined;
    const each = new Set(this.types.map((one) => this.purpose(one)));
    return each.size === 1 ? [...each][0] : undefined;
  }
  choosePurpose(name: string): void {
    this.chosen = name;
  }

  // The purpose goes along in the address, so that it holds in another tab and after loading anew as well.
  recordPage(type: Type, record: string): string {
    const purpose = this.purposes.length > 1 ? this.purpose(type) : undefined;
    return `/app/types/${type.name}/records/${record}${purpose ? `?purpose=${enc(purpose)}` : ""}`;
  }

  // The fields of a type that the purpose covers, in the order of the form.
  fields(type: Type, purpose: string | undefined = this.purpose(type)) {
    const covered = this.purposes.find((p) => p.name === purpose)?.fields;
    const names = covered ? (covered[type.name] ?? []) : null;
    const order = type.form.flat();
    const place = (name: string) => (order.indexOf(name) < 0 ? order.length : order.indexOf(name));
    return type.fields.filter((f) => names === null || names.includes(f.name)).sort((a, b) => place(a.name) - place(b.name));
  }
}

// What the token is for, in words.
export function tables(state: State): string {
  return state.types.map((type) => titled(type.title, type.name)).join(", ") || "–";
}

export const recordsPath = (type: string) => `/v1/record-types/${enc(type)}/records`;
