// What all pages stand on: elements without a shadow, so that one style sheet and one form of focus serve them all;
// going from page to page; and the small blocks that many pages show.
import { LitElement, html, nothing, type TemplateResult } from "lit";
import { Problem } from "./api.js";
import { t } from "./texts.js";

export class Part extends LitElement {
  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  // Tells of an error of work that nobody waits for; what it is given is shown by problemBox.
  protected caught(failure: unknown): Problem {
    if (failure instanceof Problem) return failure;
    if (failure instanceof DOMException && failure.name === "AbortError") return new Problem(0, "aborted", "");
    return new Problem(0, "internal", t("problem"));
  }
}

// A page with unsaved input may keep the person on it: it cancels siegel-leave, asks, and goes again with "left" (path "":
// nowhere, something else is to be changed under it).
export function mayLeave(path: string): boolean {
  return window.dispatchEvent(new CustomEvent<string>("siegel-leave", { detail: path, cancelable: true }));
}

export function go(path: string, how: "push" | "replace" | "left" = "push"): void {
  if (how === "push" && !mayLeave(path)) return;
  if (how !== "replace") history.pushState(null, "", path);
  else history.replaceState(null, "", path);
  window.dispatchEvent(new Event("siegel-go"));
}

// A line for people, said to screen readers as well; it goes by itself.
export function say(text: string): void {
  window.dispatchEvent(new CustomEvent<string>("siegel-say", { detail: text }));
}

export function problemBox(problem: Problem | null, again?: () => void): TemplateResult | typeof nothing {
  if (!problem || problem.code === "aborted") return nothing;
  return html`<div class="box bad" role="alert">
    <p class="strong">${problem.message || t("problem")}</p>
    ${problem.requestId ? html`<p class="small soft">${t("request_id")}: <code>${problem.requestId}</code></p>` : nothing}
    ${again ? html`<button type="button" class="quiet" @click=${again}>${t("again")}</button>` : nothing}
  </div>`;
}

export function emptyBox(title: string, help: string, more: unknown = nothing): TemplateResult {
  return html`<div class="empty">
    <svg viewBox="0 0 48 48" aria-hidden="true"><rect x="8" y="6" width="32" height="36" rx="4" /><path d="M15 16h18M15 24h18M15 32h10" /></svg>
    <p class="strong">${title}</p>
    <p class="soft">${help}</p>
    ${more}
  </div>`;
}

// What the pages do not do yet, and the command that does.
export function commands(title: string, rows: [string, string][], help = ""): TemplateResult {
  return html`<section class="card"><h2>${title}</h2>
    ${help ? html`<p class="soft">${help}</p>` : nothing}
    <dl class="commands">${rows.map(([what, command]) => html`<div><dt>${what}</dt><dd><code>${command.split(" ").map((word, i) => html`${i ? " " : ""}<span class="nowrap">${word}</span>`)}</code></dd></div>`)}</dl>
  </section>`;
}

// Lines of the height of what is to come, so that nothing moves when it does.
export function waiting(lines: number): TemplateResult {
  return html`<div class="waiting" role="status" aria-label=${t("loading")}>
    ${Array.from({ length: lines }, () => html`<span></span>`)}
  </div>`;
}

export function define(name: string, part: CustomElementConstructor): void {
  if (!customElements.get(name)) customElements.define(name, part);
}
