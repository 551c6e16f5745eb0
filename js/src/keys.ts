/** The anywidget entry of `%valechat keys set`: the key form alone, for the provider the model names. */
import "./styles/keys.css";

import { render } from "lit-html";

import type { PanelModel } from "./notebook";
import type { ToPanel } from "./protocol";
import { noticeBox } from "./render/errors";
import { KeyForm } from "./render/keyform";

export default {
  render({ model, el }: { model: PanelModel; el: HTMLElement }): () => void {
    const root = document.createElement("div");
    root.className = "vc-root vc-keys";
    root.setAttribute("data-lm-suppress-shortcuts", "true");
    for (const type of ["keydown", "keypress", "keyup"]) {
      root.addEventListener(type, (event) => event.stopPropagation());
    }
    const form = new KeyForm(String(model.get("provider") ?? ""), (provider, key) => {
      model.send({ type: "set_key", provider, key });
    });
    const answer = document.createElement("div");
    root.append(form.node, answer);
    const receive = (message: ToPanel) => {
      if (message.type !== "notice") return;
      form.settle();
      render(noticeBox(message.text, message.error, null), answer);
    };
    model.on("msg:custom", receive as (...args: never[]) => void);
    el.append(root);
    return () => {
      model.off("msg:custom", receive as (...args: never[]) => void);
      root.remove();
    };
  },
};
