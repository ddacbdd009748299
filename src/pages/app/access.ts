// For administrators: who holds a token, and taking one back.
import { html, nothing } from "lit";
import { ask, enc, newKey, type Page, type Problem, type Token } from "./api.js";
import { tail, time } from "./format.js";
import { Part, commands, define, problemBox, say, waiting } from "./parts.js";
import type { State } from "./state.js";
import { named, t } from "./texts.js";

class Access extends Part {
  static override properties = { state: {}, tokens: { state: true }, doomed: { state: true }, problem: { state: true } };
  declare state: State;
  declare private tokens: Token[] | null;
  declare private problem: Problem | null;
  declare private doomed: Token | null; // asked about

  constructor() {
    super();
    this.tokens = this.doomed = this.problem = null;
    void this.load();
  }

  private async load(): Promise<void> {
    this.problem = null;
    try {
      this.tokens = (await ask<Page<Token>>("/v1/tokens")).items.reverse();
    } catch (failure) {
      this.problem = this.caught(failure);
    }
  }

  private confirm(token: Token): void {
    this.doomed = token;
    this.querySelector("dialog")?.showModal();
    this.querySelector<HTMLElement>('dialog [value="no"]')?.focus();
  }

  private async decided(event: Event): Promise<void> {
    const { doomed } = this;
    this.doomed = null;
    if ((event.target as HTMLDialogElement).returnValue !== "yes" || !doomed) return;
    try {
      await ask(`/v1/tokens/${enc(doomed.token_id)}`, { method: "DELETE", key: newKey() });
      say(t("revoked"));
      await this.load();
    } catch (failure) {
      this.problem = this.caught(failure);
    }
  }

  private stateOf(token: Token): string {
    if (token.revoked) return t("revoked");
    return token.expires_at && Date.parse(token.expires_at) < Date.now() ? t("expired") : t("valid");
  }

  private row(token: Token) {
    const living = this.stateOf(token) === t("valid");
    const own = token.token_id === this.state.session.token_id;
    return html`<tr class=${living ? "" : "over"}>
      <th scope="row" data-label=${t("token_label")}><span>${token.label || "–"} <code class="small soft nowrap">${tail(token.token_id)}</code> ${own ? html`<span class="chip">${t("this_token")}</span>` : nothing}</span></th>
      <td data-label=${t("role")}>${named("role_", token.role)}</td>
      <td data-label=${t("purpose")}>${token.all_purposes ? t("all") : token.purposes.join(", ") || "–"}</td>
      <td data-label=${t("expires")} class="nowrap">${token.expires_at ? time(token.expires_at) : t("expires_never")}</td>
      <td data-label=${t("state")}>${this.stateOf(token)}</td>
      <td>${living && !own ? html`<button type="button" class="quiet" @click=${() => this.confirm(token)}>${t("revoke")}<span class="visually-hidden"> ${token.label} ${tail(token.token_id)}</span></button>` : nothing}</td>
    </tr>`;
  }

  protected override render() {
    const { doomed } = this;
    return html`<h1>${t("tokens")}</h1>
      ${problemBox(this.problem, () => void this.load())}
      ${this.tokens
        ? html`<div class="sheet" tabindex="0" role="region" aria-label=${t("tokens")}><table>
            <thead><tr><th scope="col">${t("token_label")}</th><th scope="col">${t("role")}</th><th scope="col">${t("purpose")}</th><th scope="col">${t("expires")}</th><th scope="col">${t("state")}</th><th><span class="visually-hidden">${t("revoke")}</span></th></tr></thead>
            <tbody>${this.tokens.map((token) => this.row(token))}</tbody></table></div>`
        : this.problem ? nothing : waiting(6)}
      ${this.tokens ? commands(t("ctl_admin"), [[t("ctl_token"), `siegel token create --role editor --purposes ${t("ctl_purpose")} --types ${t("ctl_table")} --expires 8h --label ${t("token_label")}`]]) : nothing}
      <dialog aria-labelledby="ask" @close=${(event: Event) => void this.decided(event)}><form method="dialog">
        <p id="ask">${t("revoke_ask", { token: doomed ? `${doomed.label || named("role_", doomed.role)} ${tail(doomed.token_id)}` : "" })}</p>
        <p class="row"><button class="button danger" value="yes">${t("revoke")}</button><button class="quiet" value="no">${t("cancel")}</button></p>
      </form></dialog>`;
  }
}

define("siegel-access", Access);
