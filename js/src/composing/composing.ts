/** What stands around the composer's text: menus for `/` and `@`, variables' chips, earlier questions, long pastes. */
import type { View } from "../store";
import type { Composer } from "../render/composer";
import { ResourceMenu } from "../render/offers/resources";
import { SlashMenu } from "../render/offers/slash";
import type { Session } from "../session";
import { VariableChips } from "../variables/chips";
import { MentionMenu } from "../variables/menu";
import { commands, type CommandActions } from "./commands";
import { QuestionHistory } from "./history";
import { asFile, isLong, pasteOffer } from "./pasted";

/** A part that follows the panel's state. */
interface Part {
  update(view: View): void;
  dispose?(): void;
}

export class Composing {
  private readonly parts: readonly Part[];

  /** @param actions What commands do that are not the composer's own. */
  constructor(
    private readonly session: Session,
    private readonly composer: Composer,
    actions: CommandActions,
  ) {
    const own: CommandActions = {
      ...actions,
      new: () => session.newConversation(),
      attach: () => composer.choose(),
      variables: () => this.mention(),
      compare: () => composer.node.querySelector<HTMLElement>(".vc-compare-button")?.click(),
    };
    const history = new QuestionHistory();
    const chips = new VariableChips(session.variables, () => composer.focus());
    composer.beside(chips.node);
    this.parts = [
      new SlashMenu(session, composer, commands(own)),
      new MentionMenu(session, composer),
      new ResourceMenu(session, composer),
      history,
      chips,
    ];
    composer.intercepts.push((event) => this.earlier(history, event));
    composer.field.addEventListener("paste", (event) => this.pasted(event));
  }

  update(view: View): void {
    for (const part of this.parts) part.update(view);
  }

  dispose(): void {
    for (const part of this.parts) part.dispose?.();
  }

  /** Types an `@`, which opens the menu. */
  private mention(): void {
    this.session.setDraft("@");
    this.composer.focus();
  }

  private earlier(history: QuestionHistory, event: KeyboardEvent): boolean {
    if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return false;
    const text = history.go(event.key, this.composer.field.value);
    if (text === null) return false;
    event.preventDefault();
    this.session.setDraft(text);
    return true;
  }

  private pasted(event: ClipboardEvent): void {
    // What a browser puts into the field has the line ends of a field.
    const text = (event.clipboardData?.getData("text/plain") ?? "").replace(/\r\n?/g, "\n");
    if (event.defaultPrevented || !isLong(text)) return;
    this.composer.show(
      pasteOffer(text, () => {
        this.session.setDraft(this.session.view.draft.replace(text, ""));
        this.session.attach([asFile(text)]);
        this.composer.focus();
      }),
    );
  }
}
