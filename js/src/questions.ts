/** The anywidget entry of a question below a cell: it says when it is drawn, and sends one answer. */
import "./styles/questions.css";

import { render } from "lit-html";

import type { PanelModel } from "./notebook";
import type { AskEnded, Asked, AskShown } from "./protocol";
import { AskCards } from "./render/asks/cards";

export default {
  render({ model, el }: { model: PanelModel; el: HTMLElement }): () => void {
    const root = document.createElement("div");
    root.className = "vc-root vc-questions";
    root.setAttribute("data-lm-suppress-shortcuts", "true");
    for (const type of ["keydown", "keypress", "keyup"]) {
      root.addEventListener(type, (event) => event.stopPropagation());
    }
    let asks: AskShown[] = [];
    const cards = new AskCards((ask, choice, text) => {
      model.send({ type: "ask_answer", ask, choice, ...(text === undefined ? {} : { text }) });
    }, draw);
    function draw(): void {
      cards.update(asks);
      render(cards.list(asks), root);
    }
    const receive = (message: Asked | AskEnded) => {
      if (message.type === "asked") asks = [...asks.filter((one) => one.id !== message.ask.id), message.ask];
      if (message.type === "ask_ended") asks = asks.filter((one) => one.id !== message.ask);
      draw();
    };
    model.on("msg:custom", receive as (...args: never[]) => void);
    el.append(root);
    // The kernel has to know that this front end draws while a cell runs, and that its messages arrive.
    model.send({ type: "ready" });
    return () => {
      model.off("msg:custom", receive as (...args: never[]) => void);
      cards.dispose();
      root.remove();
    };
  },
};
