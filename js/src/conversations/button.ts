/** The way to the conversations, in the panel's header and by the keyboard. */
import { icon } from "../icons";
import type { View } from "../store";
import { Drawer } from "./drawer";
import { strings } from "./strings";
import type { ConversationTalk } from "./talk";

export interface ConversationsContext {
  readonly root: HTMLElement;
  readonly view: () => View;
  /** Another conversation was opened. */
  readonly opened: () => void;
}

/** Free in Jupyter, and what other chats use for theirs. */
const KEY = "o";

const APPLE = /Mac|iPhone|iPad/.test(navigator.platform);

export class ConversationsButton {
  readonly node = document.createElement("button");
  readonly dialog: HTMLElement;
  private readonly drawer: Drawer;
  private readonly pressed = (event: KeyboardEvent) => this.shortcut(event);

  constructor(
    talk: ConversationTalk,
    private readonly context: ConversationsContext,
  ) {
    let opened = false;
    this.drawer = new Drawer(talk, {
      current: () => context.view().conversationId,
      most: () => context.view().uploads.total,
      opened: () => {
        opened = true;
        context.opened();
      },
      closed: () => {
        if (!opened) this.node.focus({ preventScroll: true });
        opened = false;
      },
    });
    this.dialog = this.drawer.node;
    this.node.type = "button";
    this.node.className = "vc-button-icon vc-talks-button";
    this.node.title = strings.shortcut(APPLE ? "⇧⌘O" : "Ctrl+Shift+O");
    this.node.setAttribute("aria-label", strings.conversations);
    this.node.setAttribute("aria-haspopup", "dialog");
    this.node.setAttribute("aria-keyshortcuts", APPLE ? "Meta+Shift+O" : "Control+Shift+O");
    this.node.append(icon("history"));
    this.node.addEventListener("click", () => this.drawer.show(context.root));
    context.root.addEventListener("keydown", this.pressed);
  }

  /** Shows what can be done with the conversation on show, its export among it. */
  openActions(): void {
    this.drawer.show(this.context.root, "actions");
  }

  update(view: View): void {
    this.node.disabled = !view.ready || view.link === "gone";
  }

  dispose(): void {
    this.context.root.removeEventListener("keydown", this.pressed);
    this.drawer.dispose();
  }

  private shortcut(event: KeyboardEvent): void {
    if (event.key.toLowerCase() !== KEY || !event.shiftKey || event.altKey) return;
    if (!(APPLE ? event.metaKey : event.ctrlKey) || this.node.disabled) return;
    event.preventDefault();
    this.drawer.show(this.context.root);
  }
}
