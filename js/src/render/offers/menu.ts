/** The plugins menu: how each plugin is, what its tools cost in a request, and whether this chat uses it. */
import { html, nothing, render, type TemplateResult } from "lit-html";
import { live } from "lit-html/directives/live.js";
import { repeat } from "lit-html/directives/repeat.js";

import { formatSize } from "../../format";
import { icon } from "../../icons";
import type { PluginShown } from "../../protocol";
import { strings } from "../../strings";
import { Popup } from "../popup";

export interface PluginMenuActions {
  use(plugin: string, on: boolean): void;
  /** The user wants to add or configure plugins. */
  manage(): void;
}

/** How long a switch shows what was chosen before the kernel has said the same; then it shows what the kernel said. */
const SETTLING_MS = 3_000;

export class PluginMenu {
  readonly node = document.createElement("div");
  private readonly button = document.createElement("button");
  private readonly popup: Popup;
  private plugins: readonly PluginShown[] | null = null;
  private problem = "";
  /** What was chosen and not confirmed yet, by plugin: an answer to the click before must not undo it. */
  private readonly chosen = new Map<string, { readonly on: boolean; readonly timer: ReturnType<typeof setTimeout> }>();

  constructor(private readonly actions: PluginMenuActions) {
    this.node.className = "vc-plugins";
    this.button.type = "button";
    this.button.className = "vc-button-icon vc-plugins-button";
    this.button.setAttribute("aria-haspopup", "dialog");
    this.popup = new Popup(this.button, "vc-menu vc-plugins-menu", () => this.closed());
    this.popup.node.setAttribute("role", "dialog");
    this.popup.node.setAttribute("aria-label", strings.plugins);
    this.popup.node.addEventListener("keydown", (event) => this.pressed(event));
    this.button.addEventListener("click", () => (this.popup.isOpen ? this.popup.close() : this.open()));
    this.node.append(this.button, this.popup.node);
  }

  update(plugins: readonly PluginShown[], problem: string): void {
    if (plugins === this.plugins && problem === this.problem) return;
    this.plugins = plugins;
    this.problem = problem;
    for (const one of plugins) if (this.chosen.get(one.id)?.on === one.used) this.settle(one.id);
    const used = plugins.filter((one) => one.used).length;
    const label = used === 0 ? strings.plugins : strings.pluginsUsed(used);
    this.button.setAttribute("aria-label", label);
    this.button.title = label;
    const failed = problem !== "" || plugins.some((one) => one.used && one.state === "error");
    const mark = used > 0 ? String(used) : problem === "" ? "" : "!";
    render(
      html`${icon("plug")}${mark === "" ? nothing : html`<span class="vc-plugins-count ${failed ? "vc-plugins-failed" : ""}">${mark}</span>`}`,
      this.button,
    );
    if (this.popup.isOpen) this.draw();
  }

  dispose(): void {
    for (const id of [...this.chosen.keys()]) this.settle(id);
    this.popup.dispose();
  }

  private open(): void {
    this.draw();
    this.popup.open();
    this.popup.node.querySelector<HTMLElement>("input, button")?.focus();
  }

  private closed(): void {
    render(nothing, this.popup.node);
    this.button.focus({ preventScroll: true });
  }

  private pressed(event: KeyboardEvent): void {
    if (event.key !== "Escape") return;
    // Escape elsewhere in the panel stops an answer; here it only closes the menu.
    event.preventDefault();
    event.stopPropagation();
    this.popup.close();
  }

  private draw(): void {
    const plugins = this.plugins ?? [];
    const tokens = plugins.filter((one) => one.used).reduce((sum, one) => sum + one.tokens, 0);
    render(
      html`<div class="vc-menu-list">
          ${this.problem === "" ? nothing : html`<p class="vc-plugins-problem">${icon("alert")}<span>${this.problem}</span></p>`}
          ${plugins.length === 0 && this.problem === "" ? html`<p class="vc-menu-none">${strings.pluginsNone}</p>` : nothing}
          ${repeat(
            plugins,
            (one) => one.id,
            (one) => this.row(one),
          )}
        </div>
        <div class="vc-menu-foot vc-plugins-foot">
          <span>${tokens > 0 ? strings.pluginsPerRequest(formatSize(tokens)) : strings.pluginsFree}</span>
          <button type="button" class="vc-button-text" title=${strings.pluginsManageTitle} @click=${() => this.manage()}>
            ${strings.pluginsManage}
          </button>
        </div>`,
      this.popup.node,
    );
  }

  private row(plugin: PluginShown): TemplateResult {
    const state = strings.pluginStates[plugin.state] ?? plugin.state;
    return html`<label class="vc-plugin vc-plugin-${plugin.state}">
      <input
        type="checkbox"
        role="switch"
        aria-label=${strings.pluginUse(plugin.name)}
        .checked=${live(this.chosen.get(plugin.id)?.on ?? plugin.used)}
        @change=${(event: Event) => this.use(plugin.id, (event.target as HTMLInputElement).checked)}
      />
      <span class="vc-plugin-name"><i class="vc-dot" title=${state}></i>${plugin.name}</span>
      <span class="vc-plugin-about">
        ${plugin.state === "running" ? strings.pluginTools(plugin.tools, formatSize(plugin.tokens)) : state}
      </span>
      ${plugin.problem && plugin.state === "error" ? html`<span class="vc-plugin-problem">${plugin.problem}</span>` : nothing}
    </label>`;
  }

  private use(plugin: string, on: boolean): void {
    this.settle(plugin);
    const timer = setTimeout(() => {
      this.settle(plugin);
      if (this.popup.isOpen) this.draw();
    }, SETTLING_MS);
    this.chosen.set(plugin, { on, timer });
    this.actions.use(plugin, on);
  }

  private settle(plugin: string): void {
    clearTimeout(this.chosen.get(plugin)?.timer);
    this.chosen.delete(plugin);
  }

  private manage(): void {
    this.popup.close();
    this.actions.manage();
  }
}
