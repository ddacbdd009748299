// The overview: the types of records that this token may use; for an administrator the way to a working token.
import { html, nothing } from "lit";
import { ask, newKey, type Problem, type Type, type Welcome } from "./api.js";
import { titled } from "./language.js";
import { Part, commands, define, emptyBox, problemBox } from "./parts.js";
import type { State } from "./state.js";
import { plural, t } from "./texts.js";

class Types extends Part {
  static override properties = { state: {}, problem: { state: true }, busy: { state: true } };
  declare state: State;
  declare private problem: Problem | null;
  declare private busy: boolean;

  constructor() {
    super();
    this.problem = null;
    this.busy = false;
  }

  private async work(): Promise<void> {
    this.busy = true;
    this.problem = null;
    try {
      const until = new Date(Date.now() + 12 * 3600 * 1000).toISOString();
      const made = await ask<{ token: string }>("/v1/tokens", {
        method: "POST",
        body: { role: "editor", all_purposes: true, all_types: true, label: t("role_editor"), expires_at: until },
        key: newKey(),
      });
      const welcome = await ask<Welcome>("/app/session", { method: "POST", body: { token: made.token, made_here: true } });
      window.dispatchEvent(new CustomEvent<Welcome>("siegel-signed-in", { detail: welcome }));
    } catch (failure) {
      this.problem = this.caught(failure);
    }
    this.busy = false;
  }

  private people(type: Type): string {
    if (type.subject.mode === "none") return t("concerns_none");
    if (type.subject.mode === "row") return t("concerns_row");
    const names = (type.subject.fields ?? []).map((name) => type.fields.find((f) => f.name === name)?.title || name);
    return t("concerns_match", { fields: names.join(", ") });
  }

  private card(type: Type) {
    const title = titled(type.title, type.name);
    return html`<li class="card type">
      <h2>${this.state.reads ? html`<a class="whole" href="/app/types/${type.name}">${title}</a>` : title}</h2>
      <p class="soft">${plural("fields", type.fields.length)} · ${this.people(type)}</p>
      <p class="names">${(type.form.length ? type.form.flat() : type.fields.map((f) => f.name)).slice(0, 6).map((name) => html`<span class="chip">${type.fields.find((f) => f.name === name)?.title || name}</span>`)}</p>
      ${this.state.arranges && !this.state.reads ? html`<p><a class="quiet above" href="/app/types/${type.name}/form">${t("arrange")}</a></p>` : nothing}
    </li>`;
  }

  private admin() {
    return html`<section class="card seal" aria-labelledby="admin">
      <h2 id="admin">${t("admin_title")}</h2>
      <p>${t("admin_help")}</p>
      ${problemBox(this.problem)}
      <p class="row"><button type="button" class="button" ?disabled=${this.busy} @click=${() => void this.work()}>${t("admin_button")}</button>
      <span class="soft small">${t("admin_hours")}</span></p>
    </section>`;
  }

  // What these roles are for is done with the command line today.
  private commands(role: string) {
    if (role === "auditor")
      return commands(t("ctl_auditor"), [
        [t("ctl_verify"), `siegel --data ${t("ctl_directory")} verify`],
        [t("ctl_export_log"), `siegel --data ${t("ctl_directory")} export-log ${t("ctl_new_directory")}`],
        [t("ctl_proof"), "siegel proof inclusion --seq 4711 --size 4712"],
        [t("ctl_certificate"), `siegel erasure certificate er_… -o ${t("ctl_certificate_file")}`],
      ]);
    if (role === "privacy_officer")
      return commands(t("ctl_officer"), [
        [t("ctl_export"), `siegel --purpose ${this.state.purpose() ?? t("ctl_purpose")} export --subject su_… -o ${t("ctl_export_file")}`],
        [t("ctl_history"), `siegel --purpose ${this.state.purpose() ?? t("ctl_purpose")} subject history su_…`],
        [t("ctl_erase"), `siegel erase --subject su_… --ground art17-1-b --now --certificate ${t("ctl_certificate_file")}`],
        [t("ctl_erasures"), "siegel erasure list"],
      ], t("ctl_officer_help"));
    return nothing;
  }

  protected override render() {
    const { state } = this;
    const works = state.reads || state.arranges;
    return html`
      <h1>${t("records")}</h1>
      ${state.administers ? this.admin() : nothing}
      ${!works ? html`<p class="box">${t("token_role_reads_nothing")}</p>` : nothing}
      ${!works
        ? nothing
        : state.types.length
        ? html`<ul class="cards">${state.types.map((type) => this.card(type))}</ul>`
        : emptyBox(t("types_none"), state.imports ? t("types_none_help") : t("types_none_ctl"), state.imports ? html`<p><a class="button" href="/app/import">${t("import_a_sheet")}</a></p>` : nothing)}
      ${this.commands(state.session.role)}
    `;
  }
}

define("siegel-types", Types);
