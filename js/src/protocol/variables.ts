/** The notebook's variables in the composer: what there is, what exactly would be sent, and files beside the notebook. */

/** Tell what variables and files there are. */
export interface ListVariables {
  type: "list_variables";
  number: number;
}

/**
 * A variable by its path (`df`, `df.price`, `df["price"]`). `known`: the user has seen it in the composer, so that it
 * must not be missing; otherwise it stands in the text and may be no variable at all. `reveal`: hide nothing of it, as
 * the user said.
 */
export interface VariableAsked {
  path: string;
  known: boolean;
  reveal: boolean;
}

/** Tell what would be sent of these now. */
export interface ReadVariables {
  type: "read_variables";
  number: number;
  asked: VariableAsked[];
}

/** Attach a file of the notebook's folder. Answered by `fetched`. */
export interface AttachFile {
  type: "attach_file";
  number: number;
  name: string;
}

/** A variable in the menu. `tokens` is about what it would cost, null where only reading it would tell. */
export interface VariableShown {
  name: string;
  kind: string;
  size: string;
  tokens: number | null;
}

/** A file of the notebook's folder, its size in bytes. */
export interface FolderFileShown {
  name: string;
  size: number;
}

/** All that can be attached from the kernel now. */
export interface VariablesListed {
  type: "variables";
  seq: number;
  number: number;
  variables: VariableShown[];
  files: FolderFileShown[];
}

/**
 * What would be sent of a variable now: the very text and pictures (`data:` URLs). `what` says how it is described,
 * `hidden` what was hidden in it, a phrase each. With a `problem` it cannot be sent, and the rest is empty.
 */
export interface VariableRead {
  path: string;
  kind: string;
  size: string;
  tokens: number;
  text: string;
  what: string;
  pictures: string[];
  hidden: string[];
  problem: string;
}

/** What was asked about; what is no variable is left out. */
export interface VariablesRead {
  type: "variables_read";
  seq: number;
  number: number;
  found: VariableRead[];
}
