/** Runs a cell for a panel that asks for it, by JupyterLab's own command: a widget in an output cannot reach commands. */
import type { App, Tracker } from "./lab";

/** What a panel asks with, as a cancelable event on the body. Without an `index` it only asks whether it could. */
export interface RunAsked {
  readonly index?: number;
  /** An element of the notebook that is meant; null beside a notebook. */
  readonly within: Element | null;
}

export const RUN = "valechat:run";

/** From now on answers panels; whoever is answered finds the event's default prevented. */
export function offerRuns(app: App, tracker: Tracker): void {
  document.body.addEventListener(RUN, (event) => {
    const { index, within } = (event as CustomEvent<RunAsked>).detail;
    const notebook = tracker.currentWidget;
    if (notebook === null || (within !== null && !notebook.node.contains(within))) return;
    if (index !== undefined) {
      Object.assign(notebook.content, { activeCellIndex: index });
      if (notebook.content.activeCellIndex !== index) return;
      void app.commands.execute("notebook:run-cell");
    }
    event.preventDefault();
  });
}
