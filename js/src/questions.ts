/** The anywidget entry of a question below a cell: it says when it is drawn, and sends one answer. */
import "./styles/questions.css";

import { render } from "lit-html";

import type { PanelModel } from "./notebook";
import type { AskEnded, Asked, AskShown } from "./protocol";
import { AskCards } from "./render/asks/cards";

/** How often the kernel is told that the question is drawn, until it asks; and how often at most. */
const TELL_MS = 300;
const MOST_TIMES = 50;

export default {
  render({ model, el }: { model: PanelModel; el: HTMLElement }): () => void {
    const root = document.createElement("div");
    root.className = "vc-root vc-questions";
    root.setAttribute("data-lm-suppress-shortcuts", "true");
    for (const type of ["keydown", "keypress", "keyup"]) {
      root.addEventListener(type, (event) => event.stopPropagation());
    }
    let asks: AskShown[] = [];
    let telling: ReturnType<typeof setInterval> | undefined;
    const cards = new AskCards((ask, choice, text) => {
      model.send({ type: "ask_answer", ask, choice, ...(text === undefined ? {} : { text }) });
    }, draw);
    function draw(): void {
      cards.update(asks);
      render(cards.list(asks), root);
    }
    const receive = (message: Asked | AskEnded) => {
      clearInterval(telling);
      if (message.type === "asked") asks = [...asks.filter((one) => one.id !== message.ask.id), message.ask];
      if (message.type === "ask_ended") asks = asks.filter((one) => one.id !== message.ask);
      draw();
    };
    model.on("msg:custom", receive as (...args: never[]) => void);
    el.append(root);
    // The kernel has to know that this front end draws while a cell runs, and that its messages arrive. The first
    // of them wait for the cell: the front end sends them before it has a subshell for them.
    let told = 0;
    const tell = () => {
      model.send({ type: "ready" });
      told += 1;
      if (told >= MOST_TIMES) clearInterval(telling);
    };
    telling = setInterval(tell, TELL_MS);
    tell();
    return () => {
      clearInterval(telling);
      model.off("msg:custom", receive as (...args: never[]) => void);
      cards.dispose();
      root.remove();
    };
  },
};
