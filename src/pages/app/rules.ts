// For administrators and privacy officers: what data are used for, and how long they stay. Both are needed before a sheet
// can become records.
import { html, nothing } from "lit";
import { ask, enc, newKey, type DeletionClass, type Page, type Problem, type Purpose } from "./api.js";
import { lasting, nameOf } from "./format.js";
import { language, titled } from "./language.js";
import { Part, define, problemBox, say, waiting } from "./parts.js";
import type { State } from "./state.js";
import { named, t, type Key } from "./texts.js";

const grounds = ["contract", "consent", "legal-obligation", "legitimate-interests", "public-task", "vital-interests"];
const starts = ["last_change", "collection", "end_of_case", "end_of_relationship"];

class Rules extends Part {
  static override properties = { state: {}, purposes: { state: true }, classes: { state: true }, problem: { state: true }, busy: { state: true } };
  declare state: State;
  declare private purposes: Purpose[] | null;
  declare private classes: DeletionClass[] | null;
  declare private problem: Problem | null;
  declare private busy: boolean;

  constructor() {
    super();
    this.purposes = this.classes = this.problem = null;
    this.busy = false;
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      const [purposes, classes] = await Promise.all([ask<Page<Purpose>>("/v1/purposes"), ask<Page<DeletionClass>>("/v1/deletion-classes")]);
      this.purposes = purposes.items;
      this.classes = classes.items.filter((c) => !c.built_in);
    } catch (failure) {
      this.problem = this.caught(failure);
    }
  }

  // Only what is not there yet: a rule that is in use is not overwritten by a name that happens to be the same.
  private async add(event: Event, kind: "purposes" | "deletion-classes"): Promise<void> {
    event.preventDefault();
    const target = event.target as HTMLFormElement;
    const data = new FormData(target);
    const text = (name: string) => String(data.get(name) ?? "").trim();
    const title = text("title");
    if (this.busy || !target.reportValidity()) return;
    const ground = { legal_ground: text("ground") };
    const body = kind === "purposes"
      ? { ...ground, title: { [language()]: title } }
      : { ...ground, note: title, period: `P${text("count")}${text("unit")}`, start: `${data.get("year") ? "end_of_calendar_year_of_" : ""}${text("start")}` };
    this.busy = true;
    this.problem = null;
    try {
      await ask(`/v1/${kind}/${enc(nameOf(title))}`, { method: "PUT", body, key: newKey(), create: true });
      target.reset();
      say(t("rules_added"));
      await Promise.all([this.load(), this.state.load()]);
    } catch (failure) {
      this.problem = this.caught(failure);
    }
    this.busy = false;
  }

  private ground(id: string) {
    return html`<div class="field"><label for=${id}>${t("rules_ground")}</label><select id=${id} name="ground">${grounds.map((g) => html`<option value=${g}>${named("ground_", g)}</option>`)}</select></div>`;
  }

  private start(cls: DeletionClass): string {
    const year = cls.start.startsWith("end_of_calendar_year_of_");
    const start = named("start_", cls.start.replace("end_of_calendar_year_of_", ""));
    return year ? t("rules_from_year", { start }) : t("rules_from", { start });
  }

  protected override render() {
    const { purposes, classes } = this;
    return html`<h1>${t("rules")}</h1><p class="soft">${t("rules_intro")}</p>
      ${problemBox(this.problem)}
      ${!purposes || !classes ? (this.problem ? nothing : waiting(8)) : html`<div class="two even">
        <section class="card" aria-labelledby="purposes"><h2 id="purposes">${t("rules_purposes")}</h2>
          <ul class="rules">${purposes.map((p) => html`<li><span class="strong">${titled(p.title, p.name)}</span><span class="soft">${named("ground_", p.legal_ground)}</span></li>`)}</ul>
          <form @submit=${(e: Event) => void this.add(e, "purposes")}><h3>${t("rules_new_purpose")}</h3>
            <div class="fields"><div class="field"><label for="purpose-title">${t("import_title")}</label><input id="purpose-title" name="title" required maxlength="80" autocomplete="off"></div>${this.ground("purpose-ground")}</div>
            <button class="button" ?disabled=${this.busy}>${t("rules_add")}</button></form>
        </section>
        <section class="card" aria-labelledby="classes"><h2 id="classes">${t("rules_classes")}</h2>
          <ul class="rules">${classes.map((c) => html`<li><span class="strong">${c.note || c.name}</span><span class="soft">${lasting(c.period)}, ${this.start(c)}</span></li>`)}</ul>
          <form @submit=${(e: Event) => void this.add(e, "deletion-classes")}><h3>${t("rules_new_class")}</h3>
            <div class="fields"><div class="field"><label for="class-title">${t("import_title")}</label><input id="class-title" name="title" required maxlength="80" autocomplete="off"></div>${this.ground("class-ground")}</div>
            <div class="fields">
              <div class="field"><label for="class-count">${t("rules_lasts")}</label><span class="pair"><input id="class-count" name="count" type="number" min="1" max="999" value="3" required><select name="unit" aria-label=${t("rules_unit")}>${(["Y", "M", "D"] as const).map((u) => html`<option value=${u}>${t(`unit_${u}` as Key)}</option>`)}</select></span></div>
              <div class="field"><label for="class-start">${t("rules_start")}</label><select id="class-start" name="start">${starts.map((s) => html`<option value=${s}>${named("start_", s)}</option>`)}</select></div>
            </div>
            <label class="check"><input type="checkbox" name="year" checked> ${t("rules_year")}</label>
            <button class="button" ?disabled=${this.busy}>${t("rules_add")}</button></form>
        </section></div>`}`;
  }
}

define("siegel-rules", Rules);
