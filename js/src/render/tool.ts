/** A tool call as a card: what is called with what, the question whether it may run, and its result. */
import { html, nothing, type TemplateResult } from "lit-html";

import { icon } from "../icons";
import type { AskShown, ToolShown } from "../protocol";
import { strings } from "../strings";
import { brief, indented } from "./json";

export interface ToolContext {
  /** The question that waits on this call. */
  readonly ask: AskShown | undefined;
  /** Draws it. */
  readonly asked: (ask: AskShown) => unknown;
}

export function toolCard(tool: ToolShown, context: ToolContext): TemplateResult {
  const { ask } = context;
  const state = ask ? "asking" : tool.result === null ? "running" : tool.is_error ? "failed" : "done";
  const label = { asking: strings.asking, running: strings.toolRunning, failed: strings.toolFailed, done: strings.toolDone };
  return html`<details class="vc-tool vc-tool-${state}" ?open=${ask !== undefined}>
    <summary>
      ${icon("tool")}<span class="vc-tool-name">${tool.name}</span>
      <code class="vc-tool-brief">${ask ? "" : brief(tool.arguments)}</code>
      <span class="vc-tool-state">${label[state]}</span>
    </summary>
    <div class="vc-tool-body">
      <h4>${strings.toolArguments}</h4>
      <pre tabindex="0" aria-label=${strings.toolArguments}>${indented(tool.arguments)}</pre>
      ${ask ? context.asked(ask) : nothing}
      ${tool.result === null
        ? nothing
        : html`<h4>${strings.toolResult}</h4>
            <pre tabindex="0" aria-label=${strings.toolResult}>${indented(tool.result)}</pre>`}
    </div>
  </details>`;
}
