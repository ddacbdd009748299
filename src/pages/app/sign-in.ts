// The front door: what this is, and signing in with a token.
import { html, nothing } from "lit";
import { ask, type Problem, type Welcome } from "./api.js";
import { Part, define, problemBox } from "./parts.js";
import { t } from "./texts.js";

class SignIn extends Part {
  static override properties = { note: {}, problem: { state: true }, busy: { state: true }, missing: { state: true }, open: { state: true } };
  declare note: string;
  declare private problem: Problem | null;
  declare private busy: boolean;
  declare private missing: boolean;
  declare private open: boolean;

  constructor() {
    super();
    this.note = "";
    this.problem = null;
    this.busy = this.missing = this.open = false;
  }

  protected override firstUpdated(): void {
    this.querySelector<HTMLInputElement>("#token")?.focus({ preventScroll: true });
  }

  private async signIn(event: Event): Promise<void> {
    event.preventDefault();
    const input = this.querySelector<HTMLInputElement>("#token");
    const token = input?.value.trim() ?? "";
    this.missing = token === "";
    this.problem = null;
    if (!token || this.busy) return input?.focus();
    this.busy = true;
    try {
      const welcome = await ask<Welcome>("/app/session", { method: "POST", body: { token } });
      if (input) input.value = "";
      window.dispatchEvent(new CustomEvent<Welcome>("siegel-signed-in", { detail: welcome }));
    } catch (failure) {
      this.problem = this.caught(failure);
      input?.select();
    }
    this.busy = false;
  }

  protected override render() {
    return html`<div class="door">
      <section class="pitch">
        <h1>${t("claim")}</h1>
        <p>${t("pitch")}</p>
        <ul class="ticks"><li>${t("point_history")}</li><li>${t("point_purpose")}</li><li>${t("point_erase")}</li></ul>
      </section>
      <section class="card" aria-labelledby="sign-in">
        <h2 id="sign-in">${t("sign_in")}</h2>
        ${this.note ? html`<p class="box">${this.note}</p>` : nothing}
        <form novalidate @submit=${(event: Event) => void this.signIn(event)}>
          <div class="field">
            <label for="token">${t("token")}</label>
            <input id="token" name="token" type=${this.open ? "text" : "password"} autocomplete="off" autocapitalize="none" spellcheck="false" required
              aria-describedby=${this.missing ? "token-missing token-help" : "token-help"} aria-invalid=${this.missing ? "true" : nothing}>
            ${this.missing ? html`<p class="wrong" id="token-missing">${t("token_empty")}</p>` : nothing}
            <p class="help" id="token-help">${t("token_help")}</p>
          </div>
          <label class="check"><input type="checkbox" .checked=${this.open} @change=${(e: Event) => (this.open = (e.target as HTMLInputElement).checked)}> ${t("token_show")}</label>
          ${problemBox(this.problem)}
          <button class="button wide" ?disabled=${this.busy}>${t("sign_in")}</button>
        </form>
        <p class="help">${t("session_note")}</p>
      </section>
      <p class="small soft foot">${t("docs_start")}: <a href="/v1/openapi.yaml">${t("api_link")}</a></p>
    </div>`;
  }
}

define("siegel-sign-in", SignIn);
