/** All that one view of a panel has about branches and pins. */
import type { Session } from "../session";
import type { View } from "../store";
import { MessageActions, type ActionsContext } from "./actions";
import { PinsMenu } from "./pins";
import { Reveal } from "./reveal";

export class Branching {
  readonly actions: MessageActions;
  readonly pins: PinsMenu;
  private readonly reveal: Reveal;

  /** `scroll` brings a message into sight, by its index. */
  constructor(
    session: Session,
    scroll: (index: number) => HTMLElement | null,
    context: Pick<ActionsContext, "redraw" | "sent" | "enterKey">,
  ) {
    this.reveal = new Reveal((most) => session.showEarlier(most), scroll);
    this.actions = new MessageActions({
      ...context,
      talk: session.branches,
      view: () => session.view,
      reveal: (id) => this.reveal.to(id, session.view),
    });
    this.pins = new PinsMenu((pin) => {
      this.reveal.to(pin.message, !pin.shown && session.branches.show(pin.message) ? session.view : null);
      context.redraw();
    });
  }

  dispose(): void {
    this.actions.dispose();
    this.pins.dispose();
  }

  /** A view was drawn into this element. */
  drawn(view: View, root: Element): void {
    this.pins.update(view.pins);
    this.reveal.look(view);
    this.actions.settle(root);
  }

  /** Rows were drawn, of those that a view has, and others may follow. */
  settled(root: Element, drawn: readonly string[]): void {
    this.actions.keep(new Set(drawn));
    this.actions.settle(root);
  }
}
