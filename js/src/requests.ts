/** Questions to the kernel that one of its messages answers, by their number. */
import type { Completed, Fetched } from "./protocol";

export type Answered = Fetched | Completed;

export class Requests {
  private readonly waiting = new Map<number, (answer: Answered | null) => void>();
  // Pages that share a kernel hear each other's answers.
  private number = Math.floor(Math.random() * 2 ** 40);

  /** Sends a question by `send`, which tells whether it left. Null when no answer will come. */
  ask(send: (number: number) => boolean): Promise<Answered | null> {
    const number = ++this.number;
    return new Promise((resolve) => {
      this.waiting.set(number, resolve);
      if (!send(number)) this.answer(number, null);
    });
  }

  answered(message: Answered): void {
    this.answer(message.number, message);
  }

  /** Nothing that was asked will be answered any more. */
  forget(): void {
    for (const number of [...this.waiting.keys()]) this.answer(number, null);
  }

  private answer(number: number, answer: Answered | null): void {
    this.waiting.get(number)?.(answer);
    this.waiting.delete(number);
  }
}
