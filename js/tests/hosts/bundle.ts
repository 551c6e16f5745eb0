/** The panel's bundle, built as it is for the wheel and loaded as anywidget loads it: a module of its own, by its text. */
import { execFileSync } from "node:child_process";

import type { PanelModel } from "../../src/notebook";

export interface Widget {
  initialize(context: { model: PanelModel }): () => void;
  render(context: { model: PanelModel; el: HTMLElement }): () => void;
}

let text = "";
let count = 0;

/** A widget; with `fresh`, of a module that was loaded for it alone, so that it finds the page as it is now. */
export async function loaded(fresh = false): Promise<Widget> {
  // Its command, since esbuild's own module does not start beside jsdom.
  text ||= execFileSync(
    "node_modules/.bin/esbuild",
    ["src/widget.ts", "--bundle", "--format=esm", "--target=es2022", "--minify", "--charset=utf8", "--external:*.css", '--define:ASSETS_BUILD="bare"'],
    { encoding: "utf8", maxBuffer: 1e8 },
  ).replace(/import"[^"]*\.css";/g, "");
  const url = `data:text/javascript;base64,${Buffer.from(`${text}\n// ${fresh ? ++count : 0}`).toString("base64")}`;
  const module = (await import(/* @vite-ignore */ url)) as { default: () => Widget };
  return module.default();
}
