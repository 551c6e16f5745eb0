/** What `/` in the composer can do of the panel's own, beside plugins' prompts. */
import { strings } from "../variables/strings";

export interface Command {
  readonly name: string;
  readonly about: string;
  run(): void;
}

/** The panel's parts that commands work on; one that is left out has no command. */
export interface CommandActions {
  readonly new?: Act;
  readonly model?: Act;
  readonly compare?: Act;
  readonly settings?: Act;
  readonly attach?: Act;
  readonly variables?: Act;
  readonly plugins?: Act;
  readonly export?: Act;
  readonly help?: Act;
}

type Act = (() => void) | undefined;

/** All commands, in the order in which they are shown. */
export function commands(actions: CommandActions): Command[] {
  const names = ["new", "model", "compare", "variables", "attach", "plugins", "settings", "export", "help"] as const;
  return names.flatMap((name) => {
    const run = actions[name];
    return run ? [{ name, about: strings.commands[name] ?? "", run }] : [];
  });
}
