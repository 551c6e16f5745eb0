/**
 * The panel's anywidget entry. The default export is a function, called once for each model, so that
 * the session belongs to the model and all its views share it.
 */
import "./styles/panel.css";

import type { PanelModel } from "./notebook";
import { brokenPanel } from "./render/boundary";
import { Panel } from "./render/panel";
import { Session } from "./session";

export default function panel() {
  let session: Session | undefined;
  return {
    initialize({ model }: { model: PanelModel }): () => void {
      const own = new Session(model);
      session = own;
      return () => {
        own.dispose();
        if (session === own) session = undefined;
      };
    },
    render({ model, el }: { model: PanelModel; el: HTMLElement }): () => void {
      // A host that calls `render` alone still gets a working panel.
      session ??= new Session(model);
      const own = session;
      return kept((broken) => new Panel(own, el, broken), own, el);
    },
  };
}

/** A panel, and where it cannot be drawn what says so, until the view ends. */
function kept(open: (broken: (error: unknown) => void) => Panel, session: Session, el: HTMLElement): () => void {
  let view: Panel | null = null;
  let box: HTMLElement | null = null;
  const broken = (error: unknown) => {
    view?.dispose();
    view = null;
    box?.remove();
    box = brokenPanel(error, session.view.draft, start);
    el.append(box);
  };
  const start = () => {
    box?.remove();
    box = null;
    try {
      view = open(broken);
    } catch (error) {
      broken(error);
    }
  };
  start();
  return () => {
    view?.dispose();
    box?.remove();
  };
}
