/** The anywidget entry of `valechat.plugin_manager()`. */
import "../styles/plugins.css";

import { type PanelModel, watchKernel } from "../notebook";
import type { AskEnded, Asked } from "../protocol";
import type { ToWidget } from "./protocol";
import { Board } from "./render/board";
import { Store } from "./store";

/** How long the kernel may take for its first answer before the view says so. */
const SILENCE_MS = 8000;

const AGAIN_MS = 1500;

export default {
  render({ model, el }: { model: PanelModel; el: HTMLElement }): () => void {
    const board = new Board(el, (changed) => new Store(model, changed));
    const { store } = board;
    const receive = (message: ToWidget | Asked | AskEnded) => store.receive(message);
    model.on("msg:custom", receive as (...args: never[]) => void);
    const unwatch = watchKernel(model, (event) => {
      if (event === "back") store.send({ type: "hello" });
      else store.host = event;
      store.changed();
    });
    const silent = setTimeout(() => board.silent(), SILENCE_MS);
    store.send({ type: "hello" });
    // The first message waits for a running cell: it leaves before the front end has a subshell for it.
    const again = setTimeout(() => store.connected || store.send({ type: "hello" }), AGAIN_MS);
    return () => {
      clearTimeout(silent);
      clearTimeout(again);
      unwatch();
      model.off("msg:custom", receive as (...args: never[]) => void);
      board.dispose();
    };
  },
};
