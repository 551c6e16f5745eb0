/**
 * The panel's anywidget entry. The default export is a function, called once for each model, so that
 * the session belongs to the model and all its views share it.
 */
import "./styles/panel.css";

import type { PanelModel } from "./notebook";
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
      const view = new Panel(session, el);
      return () => view.dispose();
    },
  };
}
