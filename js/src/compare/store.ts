/** What a panel knows of a comparison, and how each message from the kernel changes it. */
import { grown } from "../growing";
import type { ComparisonShown, MessageShown, ToPanel } from "../protocol";

export function compared(comparison: ComparisonShown | null, message: ToPanel): ComparisonShown | null {
  switch (message.type) {
    case "state":
      return message.comparison ?? null;
    case "compare_started":
      return message.comparison;
    case "compare_ended":
    case "turn_started":
      return null;
    case "deltas":
      return comparison && changed(comparison, (answer) => grown(answer, message.deltas));
    case "column_ended":
      return comparison && changed(comparison, (answer) => (answer.turn === message.turn ? { ...message.answer, turn: null } : answer));
    default:
      return comparison;
  }
}

/** The turns whose answers still come. */
export function comparing(comparison: ComparisonShown | null): string[] {
  return (comparison?.answers ?? []).flatMap((answer) => (answer.turn !== null && answer.status === "streaming" ? [answer.turn] : []));
}

/** The messages above the compared question: it is drawn with its answers. */
export function above(messages: readonly MessageShown[], comparison: ComparisonShown | null): readonly MessageShown[] {
  const at = comparison ? messages.findIndex((m) => m.id === comparison.question.id) : -1;
  return at < 0 ? messages : messages.slice(0, at);
}

function changed(comparison: ComparisonShown, change: (answer: MessageShown) => MessageShown): ComparisonShown {
  const answers = comparison.answers.map(change);
  return answers.every((answer, i) => answer === comparison.answers[i]) ? comparison : { ...comparison, answers };
}
