/** A kernel's side of the panel's messages, as values for tests. */
import type { MessageShown, ModelShown, State } from "../src/protocol";

let count = 0;

export function message(parts: Partial<MessageShown> = {}): MessageShown {
  return {
    id: `m${++count}`,
    role: "assistant",
    text: "",
    thinking: "",
    tools: [],
    model: "demo/echo",
    status: "complete",
    turn: null,
    cost: null,
    cost_source: null,
    input_tokens: null,
    output_tokens: null,
    first_token_ms: null,
    duration_ms: null,
    verification: null,
    notes: [],
    error: null,
    ts: "2026-11-22T12:00:00+00:00",
    ...parts,
  };
}

export function question(text: string, parts: Partial<MessageShown> = {}): MessageShown {
  return message({ role: "user", text, ...parts });
}

export function model(id: string, parts: Partial<ModelShown> = {}): ModelShown {
  const [provider = "", name = ""] = id.split("/");
  return {
    id,
    provider,
    name,
    input_price: null,
    output_price: null,
    context_tokens: null,
    demo: false,
    local: false,
    usable: true,
    why: "",
    ...parts,
  };
}

export function state(seq: number, parts: Partial<State> = {}): State {
  return {
    type: "state",
    seq,
    conversation_id: "c1",
    title: "",
    messages: [],
    model: "demo/echo",
    models: [model("demo/echo", { demo: true })],
    total_cost: null,
    unpriced: 0,
    draft: "",
    ...parts,
  };
}
