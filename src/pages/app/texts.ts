// Every text of the pages, German and English, in one place. Sentences about problems come from the server.
import { language } from "./language.js";

type Text = readonly [german: string, english: string];

const texts = {
  // ── the frame ──
  siegel: ["Siegel", "Siegel"],
  skip: ["Zum Inhalt", "Skip to content"],
  records: ["Datensätze", "Records"],
  import: ["Import", "Import"],
  access: ["Zugang", "Access"],
  menu: ["Hauptmenü", "Main menu"],
  purpose: ["Zweck", "Purpose"],
  purpose_help: ["Jeder Blick auf Daten wird mit diesem Zweck festgehalten.", "Every look at data is recorded with this purpose."],
  language: ["Sprache", "Language"],
  sign_out: ["Abmelden", "Sign out"],
  loading: ["Wird geladen …", "Loading …"],
  again: ["Noch einmal", "Try again"],
  cancel: ["Abbrechen", "Cancel"],
  close: ["Schließen", "Close"],
  save: ["Speichern", "Save"],
  edit: ["Bearbeiten", "Edit"],
  back: ["Zurück", "Back"],
  yes: ["Ja", "Yes"],
  no: ["Nein", "No"],
  optional: ["freiwillig", "optional"],
  required: ["Pflichtangabe", "required"],
  not_found: ["Diese Seite gibt es nicht", "There is no such page"],
  not_found_help: ["Vielleicht wurde der Datensatz entfernt oder gelöscht.", "The record may have been removed or erased."],
  to_start: ["Zur Übersicht", "To the overview"],
  problem: ["Das ging nicht", "That did not work"],
  request_id: ["Kennung der Anfrage", "Request id"],
  server_away: ["Der Server antwortet nicht.", "The server does not answer."],
  session_over: ["Die Sitzung ist zu Ende. Bitte neu anmelden.", "The session is over. Please sign in again."],
  signed_out: ["Abgemeldet.", "Signed out."],
  version: ["Version", "Version"],

  // ── signing in ──
  claim: ["Personenbezogene Daten, versiegelt.", "Personal data, sealed."],
  pitch: [
    "Tabellen werden zu geordneten Datensätzen. Jede Änderung steht in einem Buch, das niemand unbemerkt ändert, und was gelöscht ist, bleibt gelöscht.",
    "Sheets become governed records. Every change stands in a ledger that nobody alters unnoticed, and what is erased stays erased.",
  ],
  point_history: ["Wer, wann, was, wozu: zu jedem Wert", "Who, when, what, why: for every value"],
  point_purpose: ["Kein Zugriff ohne Zweck und Spur", "No access without a purpose and a trace"],
  point_erase: ["Löschung, die auch Sicherungen erreicht", "Erasure that reaches backups too"],
  sign_in: ["Anmelden", "Sign in"],
  token: ["Zugangsschlüssel", "Token"],
  token_help: [
    "Beginnt mit sgl_. ./start zeigt einen am Ende; weitere stellt die Verwaltung aus.",
    "Begins with sgl_. ./start shows one at its end; administrators issue others.",
  ],
  token_show: ["Schlüssel zeigen", "Show token"],
  token_empty: ["Bitte den Zugangsschlüssel einfügen.", "Please paste your token."],
  session_note: [
    "Der Schlüssel bleibt auf dem Server; der Browser behält nur ein Sitzungs-Cookie.",
    "The token stays on the server; the browser keeps a session cookie only.",
  ],
  api_link: ["Beschreibung der Schnittstelle", "Description of the API"],
  docs_start: ["Für Programme", "For programs"],

  // ── record types ──
  types_none: ["Noch keine Datensatztypen", "No record types yet"],
  types_none_help: [
    "Ein Typ entsteht aus einer Tabelle: einfügen oder Datei ablegen, ansehen, übernehmen.",
    "A type comes out of a sheet: paste it or drop a file, look at it, take it over.",
  ],
  types_none_ctl: [
    "Ein Typ entsteht mit dem Kommando siegel type set.",
    "A type is made with the command siegel type set.",
  ],
  import_sheet: ["Tabelle importieren", "Import a sheet"],
  fields_n: ["{n} Felder", "{n} fields"],
  fields_1: ["1 Feld", "1 field"],
  concerns_none: ["betrifft keine Person", "concerns no person"],
  concerns_row: ["je Zeile eine Person", "one person per row"],
  concerns_match: ["Personen nach {fields}", "people by {fields}"],
  open: ["Öffnen", "Open"],

  // ── administration ──
  admin_title: ["Mit Daten arbeiten", "Work with data"],
  admin_help: [
    "Ein Verwaltungsschlüssel vergibt Zugänge, liest aber selbst keine Datensätze. Für die Arbeit stellt er einen eigenen Schlüssel aus; beides steht im Buch.",
    "An administration token grants access but reads no records itself. For the work it issues a token of its own; both stand in the ledger.",
  ],
  admin_button: ["Als Bearbeiter weiterarbeiten", "Go on as an editor"],
  admin_hours: ["Gilt 12 Stunden, für alle Zwecke und Typen.", "Valid for 12 hours, for all purposes and types."],
  tokens: ["Zugangsschlüssel", "Tokens"],
  token_label: ["Bezeichnung", "Label"],
  role: ["Rolle", "Role"],
  role_admin: ["Verwaltung", "Administrator"],
  role_privacy_officer: ["Datenschutz", "Privacy officer"],
  role_editor: ["Bearbeitung", "Editor"],
  role_sender: ["Versand", "Sender"],
  role_auditor: ["Prüfung", "Auditor"],
  role_consumer: ["Empfangssystem", "Consumer"],
  expires: ["Gültig bis", "Valid until"],
  expires_never: ["unbefristet", "without end"],
  revoked: ["gesperrt", "revoked"],
  expired: ["abgelaufen", "expired"],
  valid: ["gültig", "valid"],
  state: ["Zustand", "State"],
  all: ["alle", "all"],
  revoke: ["Sperren", "Revoke"],
  revoke_ask: ["Diesen Schlüssel sperren? Wer mit ihm angemeldet ist, ist es dann nicht mehr.", "Revoke this token? Whoever is signed in with it no longer is."],
  this_token: ["dieser", "this one"],
  token_role_reads_nothing: [
    "Diese Rolle liest keine Datensätze.",
    "This role reads no records.",
  ],

  // ── table of records ──
  record: ["Datensatz", "Record"],
  changed_at: ["Geändert", "Changed"],
  rows_from_to: ["{from} bis {to}", "{from} to {to}"],
  next_page: ["Weiter", "Next"],
  previous_page: ["Zurück", "Previous"],
  paging: ["Seiten", "Pages"],
  empty_table: ["Noch keine Datensätze", "No records yet"],
  empty_table_help: ["Was importiert oder eingetragen wird, steht dann hier.", "What is imported or entered will stand here."],
  nothing_found: ["Nichts gefunden", "Nothing found"],
  nothing_found_help: ["Groß- und Kleinschreibung ist gleich; der Anfang des Wertes genügt.", "Upper and lower case are alike; the beginning of the value is enough."],
  new_record: ["Neuer Datensatz", "New record"],
  search: ["Suchen", "Search"],
  search_in: ["Suchen in", "Search in"],
  search_value: ["Beginnt mit", "Begins with"],
  search_clear: ["Suche beenden", "End search"],
  search_traced: ["Auch eine Suche wird festgehalten.", "A search is recorded too."],
  results_n: ["{n} Treffer", "{n} results"],
  results_1: ["1 Treffer", "1 result"],
  results_more: ["Mindestens {n} Treffer", "At least {n} results"],
  erased_value: ["gelöscht", "erased"],
  no_value: ["leer", "empty"],
  open_record: ["Datensatz öffnen", "Open record"],

  // ── one record ──
  details: ["Angaben", "Details"],
  history: ["Verlauf", "History"],
  updated: ["Stand vom {at}", "As of {at}"],
  reason: ["Grund der Änderung", "Reason for the change"],
  reason_help: ["Steht mit im Verlauf der Person.", "Becomes part of the person's history."],
  saved: ["Gespeichert.", "Saved."],
  nothing_changed: ["Nichts geändert.", "Nothing changed."],
  conflict: ["Inzwischen hat jemand diesen Datensatz geändert", "Somebody changed this record meanwhile"],
  conflict_help: [
    "Ihre Eingaben sind noch da. Bei diesen Feldern unterscheidet sich, was nun gespeichert ist:",
    "Your input is still here. In these fields what is stored now differs:",
  ],
  conflict_none: ["Ihre Felder sind davon nicht berührt.", "Your fields are not concerned."],
  stored_now: ["Jetzt gespeichert", "Stored now"],
  your_input: ["Ihre Eingabe", "Your input"],
  conflict_mine: ["Meine Eingaben speichern", "Save my input"],
  conflict_theirs: ["Gespeichertes übernehmen", "Take what is stored"],
  field: ["Feld", "Field"],
  before: ["Vorher", "Before"],
  after: ["Nachher", "After"],
  who: ["Wer", "Who"],
  when: ["Wann", "When"],
  why: ["Wozu", "Why"],
  you: ["Sie (dieser Schlüssel)", "You (this token)"],
  system: ["Siegel selbst", "Siegel itself"],
  the_person: ["die Person selbst", "the person"],
  by_token: ["Schlüssel {id}", "token {id}"],
  history_more: ["Ältere zeigen", "Show more"],
  history_none: ["Kein Verlauf", "No history"],
  event_record_added: ["Eingetragen", "Added"],
  event_record_changed: ["Geändert", "Changed"],
  event_record_removed: ["Entfernt", "Removed"],
  event_access_read: ["Angesehen", "Read"],
  event_import: ["aus einem Import", "by an import"],
  ground_consent: ["Einwilligung", "consent"],
  ground_contract: ["Vertrag", "contract"],
  "ground_legal-obligation": ["rechtliche Verpflichtung", "legal obligation"],
  "ground_vital-interests": ["lebenswichtige Interessen", "vital interests"],
  "ground_public-task": ["öffentliche Aufgabe", "public task"],
  "ground_legitimate-interests": ["berechtigtes Interesse", "legitimate interests"],
  ground_none: ["", ""],
  added: ["Eingetragen.", "Added."],
  seal_note: ["Im Buch an Stelle {seq}", "In the ledger at {seq}"],
  required_missing: ["Diese Angabe fehlt noch.", "This is still missing."],
  decimal_help: ["Ziffern, Punkt als Dezimalzeichen, etwa 12.50", "Digits, a point for decimals, such as 12.50"],
  choices_help: ["Mehrere sind möglich.", "Several are possible."],
  leave: ["Eingaben verwerfen?", "Discard your input?"],
  leave_help: ["Was Sie geändert haben, ist noch nicht gespeichert.", "What you changed is not saved yet."],
  discard: ["Verwerfen", "Discard"],
  stay: ["Weiter bearbeiten", "Go on editing"],
} satisfies Record<string, Text>;

export type Key = keyof typeof texts;

export function t(key: Key, values: Record<string, string | number> = {}): string {
  const text: Text = texts[key];
  return (language() === "de" ? text[0] : text[1]).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

export function has(key: string): key is Key {
  return key in texts;
}

// "event_" + "record.added": a word of the server that may be newer than these texts keeps its own name.
export function named(prefix: string, name: string): string {
  const key = prefix + name.replace(/\./g, "_");
  return has(key) ? t(key) : name;
}

// One or many: plural("fields", 3) takes fields_1 or fields_n.
export function plural(stem: string, n: number): string {
  const key = `${stem}_${n === 1 ? "1" : "n"}`;
  return has(key) ? t(key, { n: count(n) }) : String(n);
}

export function count(n: number): string {
  return new Intl.NumberFormat(language()).format(n);
}
