/** Asks a notebook's kernel for its chat panel, without a cell, an output or a name in the user's variables. */
import type { Kernel } from "./lab";
import { strings } from "./strings";

const EXPRESSION = '__import__("valechat.notebook.docked", fromlist=["docked"]).docked()';

/** The id of the panel's widget, or why there is none; `code` would help. */
export type Asked = { readonly id: string } | { readonly problem: string; readonly code?: string };

export async function askForPanel(kernel: Kernel): Promise<Asked> {
  const language = (await kernel.info).language_info?.name ?? "python";
  if (language !== "python") return { problem: strings.notPython(language) };
  const future = kernel.requestExecute({
    code: "",
    silent: true,
    store_history: false,
    allow_stdin: false,
    stop_on_error: false,
    user_expressions: { panel: EXPRESSION },
  });
  const said = (await future.done).content.user_expressions?.["panel"];
  const id = /^'([0-9a-f]+)'$/.exec(String(said?.data?.["text/plain"] ?? ""))?.[1];
  if (id !== undefined) return { id };
  if (said?.ename === "ModuleNotFoundError" && /'valechat'/.test(said.evalue ?? "")) {
    return { problem: strings.notInstalled, code: strings.install };
  }
  if (said?.ename === "ModuleNotFoundError" && /'valechat\./.test(said.evalue ?? "")) {
    return { problem: strings.tooOld, code: strings.upgrade };
  }
  return { problem: strings.failed(said ? `${said.ename ?? said.status}: ${said.evalue ?? ""}` : "") };
}
