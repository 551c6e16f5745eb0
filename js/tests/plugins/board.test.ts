import { beforeEach, expect, it } from "vitest";

import type { PluginShown, ToolShown, ToWidget } from "../../src/plugins/protocol";
import plugins from "../../src/plugins/widget";
import { frame, Host } from "../host";

let host: Host;
let el: HTMLElement;
let dispose: () => void;

beforeEach(() => {
  dispose?.();
  host = new Host();
  el = document.createElement("div");
  document.body.replaceChildren(el);
  dispose = plugins.render({ model: host, el });
});

function plugin(parts: Partial<PluginShown> = {}): PluginShown {
  return {
    id: "files",
    name: "Files",
    description: "Reads files",
    transport: "stdio",
    enabled: true,
    state: "running",
    tools: 2,
    offered: 2,
    tokens: 1840,
    resources: null,
    prompts: null,
    problem: null,
    protocol: "2025-11-25",
    server: "files 1.0",
    pid: 17,
    running_for: 5,
    sandbox: [],
    needs: [],
    permits: [],
    signs_in: false,
    signed_in: false,
    uses: null,
    ...parts,
  };
}

function tool(name: string, parts: Partial<ToolShown> = {}): ToolShown {
  return { name, title: "", description: `does ${name}`, enabled: true, problem: "", read_only: false, tokens: 10, ...parts };
}

async function say(...messages: ToWidget[]): Promise<void> {
  host.say(...(messages as never[]));
  await frame();
}

async function board(...shown: PluginShown[]): Promise<void> {
  await say({ type: "board", file: "/home/me/mcp_plugins.json", problems: [], plugins: shown });
}

function sent(): Record<string, unknown>[] {
  return host.sent as unknown as Record<string, unknown>[];
}

function last(): Record<string, unknown> {
  return sent().at(-1) ?? {};
}

function button(name: string): HTMLButtonElement {
  const found = [...el.querySelectorAll("button")].find((one) => (one.getAttribute("aria-label") ?? one.textContent?.trim()) === name);
  if (!found) throw new Error(`no button ${name}: ${[...el.querySelectorAll("button")].map((one) => one.getAttribute("aria-label") ?? one.textContent?.trim()).join(", ")}`);
  return found;
}

async function unfold(part: string): Promise<void> {
  const found = [...el.querySelectorAll("details")].find((one) => one.querySelector("summary")?.textContent?.startsWith(part));
  if (!found) throw new Error(`no part ${part}`);
  found.open = true;
  found.dispatchEvent(new Event("toggle"));
  await frame();
}

it("asks for the board and shows each plugin with state, tools and tokens", async () => {
  expect(sent()).toEqual([{ type: "hello" }]);
  await board(plugin());
  const text = el.querySelector("article")?.textContent?.replace(/\s+/g, " ");
  expect(text).toContain("Running · 2 tools · 1,840 tokens per request");
  expect(el.querySelector(".vcp-head")?.textContent).toContain("1 running");
});

it("sends what a button says, with a request, and waits for its end", async () => {
  await board(plugin());
  button("Disable Files").click();
  await frame();
  expect(last()).toMatchObject({ type: "act", id: "files", verb: "disable" });
  expect(button("Disable Files").disabled).toBe(true);
  await say({ type: "done", request: String(last()["request"]), text: "", error: { kind: "PluginError", message: "It hangs", fix: "Kill it" } });
  expect(button("Disable Files").disabled).toBe(false);
  expect(el.textContent).toContain("Kill it");
});

it("keeps the focus when a card changes under it", async () => {
  await board(plugin());
  button("Restart Files").focus();
  await say({ type: "changed", problems: [], order: ["files"], plugins: [plugin({ state: "stopping" })] });
  expect((document.activeElement as HTMLElement).getAttribute("aria-label")).toBe("Restart Files");
  expect(el.querySelector("article")?.textContent).toContain("Stopping");
});

it("removes only after a confirmation in place", async () => {
  await board(plugin());
  button("Remove Files").click();
  await frame();
  expect(sent()).toHaveLength(1);
  const [keep, remove] = el.querySelectorAll<HTMLButtonElement>(".vcp-sure button");
  keep?.click();
  await frame();
  expect(el.querySelector(".vcp-sure")).toBeNull();
  button("Remove Files").click();
  await frame();
  el.querySelector<HTMLButtonElement>(".vcp-sure .vcp-danger")?.click();
  expect(remove).toBeDefined();
  expect(last()).toMatchObject({ type: "act", verb: "remove" });
});

it("counts a retry down by itself", async () => {
  const problem = { message: "The server ended.", fix: "", attempt: 2, most: 5, retry_in: 4, secret: "" };
  await board(plugin({ state: "error", problem }));
  expect(el.textContent).toContain("Retrying, attempt 2 of 5 in 4 s");
});

it("asks for a missing secret, sends it once and forgets it", async () => {
  const problem = { message: "TOKEN is not set.", fix: "", attempt: 0, most: 5, retry_in: null, secret: "TOKEN" };
  await board(plugin({ state: "error", problem }));
  const field = el.querySelector<HTMLInputElement>(".vcp-secret input");
  if (!field) throw new Error("no field");
  field.value = "s3cret";
  field.form?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
  expect(last()).toMatchObject({ type: "set_secret", id: "files", name: "TOKEN", value: "s3cret" });
  expect(field.value).toBe("");
});

it("draws a thousand tools only when unfolded, a hundred at first, and finds one", async () => {
  await board(plugin({ tools: 1000 }));
  expect(el.querySelectorAll(".vcp-tool")).toHaveLength(0);
  await unfold("Tools");
  expect(last()).toEqual({ type: "unfold", id: "files", part: "tools", open: true });
  await say({ type: "tools", id: "files", tools: Array.from({ length: 1000 }, (_, at) => tool(`t${at}`)) });
  expect(el.querySelectorAll(".vcp-tool")).toHaveLength(100);
  const search = el.querySelector<HTMLInputElement>('.vcp-search input');
  if (!search) throw new Error("no search");
  search.value = "t999";
  search.dispatchEvent(new Event("input"));
  await frame();
  expect([...el.querySelectorAll(".vcp-tool code")].map((one) => one.textContent)).toEqual(["t999"]);
});

it("draws what a server says as text", async () => {
  await board(plugin({ name: "<img src=x onerror=alert(1)>" }));
  await unfold("Tools");
  await say({ type: "tools", id: "files", tools: [tool("x", { description: "<script>alert(2)</script>" })] });
  expect(el.querySelector("img, script")).toBeNull();
  expect(el.textContent).toContain("<script>alert(2)</script>");
});

it("switches a tool off", async () => {
  await board(plugin());
  await unfold("Tools");
  await say({ type: "tools", id: "files", tools: [tool("a"), tool("b", { enabled: false })] });
  const switches = el.querySelectorAll<HTMLInputElement>('[role="switch"]');
  expect([...switches].map((one) => one.checked)).toEqual([true, false]);
  switches[0]?.click();
  expect(last()).toMatchObject({ type: "switch", id: "files", tool: "a", on: false });
});

async function tried(schema: object): Promise<HTMLFormElement> {
  await board(plugin());
  await unfold("Tools");
  await say({ type: "tools", id: "files", tools: [tool("a")] });
  button("Try a").click();
  await say({ type: "schema", id: "files", tool: "a", schema: JSON.stringify(schema) });
  const form = el.querySelector<HTMLFormElement>(".vcp-trial");
  if (!form) throw new Error("no form");
  return form;
}

function submit(form: HTMLFormElement): void {
  form.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true }));
}

const SCHEMA = {
  type: "object",
  properties: {
    path: { type: "string" },
    count: { type: "integer", default: 3 },
    deep: { type: "boolean" },
    mode: { enum: ["r", "w"] },
    more: { type: "object" },
  },
  required: ["path"],
};

it("tries a tool with values of the types its schema asks for", async () => {
  const form = await tried(SCHEMA);
  const set = (name: string, value: string) => {
    const field = form.querySelector<HTMLInputElement>(`[data-field="${name}"] :is(input, select, textarea)`);
    if (field) field.value = value;
  };
  set("path", "/tmp");
  set("deep", "true");
  set("mode", "1");
  set("more", '{"a": [1]}');
  submit(form);
  const call = last();
  expect(call).toMatchObject({ type: "call", id: "files", tool: "a" });
  expect(JSON.parse(String(call["arguments"]))).toEqual({ path: "/tmp", count: 3, deep: true, mode: "w", more: { a: [1] } });
  await say({ type: "progressed", call: String(call["call"]), text: "50 %: halfway" });
  expect(form.textContent).toContain("50 %: halfway");
  const content = { kind: "text", text: "<b>hello</b>", data: "", media_type: "", uri: "", name: "", size: 12 };
  await say({ type: "called", call: String(call["call"]), content: [content], structured: "", is_error: false, duration_ms: 12, error: null });
  expect(form.querySelector("pre")?.textContent).toBe("<b>hello</b>");
});

it("says what is missing or wrong at the field, and calls nothing", async () => {
  const form = await tried(SCHEMA);
  const count = form.querySelector<HTMLInputElement>('[data-field="count"] input');
  if (count) count.value = "1.5";
  submit(form);
  expect(last()["type"]).not.toBe("call");
  expect(form.querySelector('[data-field="path"] .vcp-wrong')?.textContent).toBe("This is needed.");
  expect(form.querySelector('[data-field="count"] .vcp-wrong')?.textContent).toBe("This is not a whole number.");
});

it("takes raw JSON, beginning with what stood in the form", async () => {
  const form = await tried(SCHEMA);
  button("JSON").click();
  await frame();
  const area = form.querySelector<HTMLTextAreaElement>(".vcp-json");
  expect(JSON.parse(area?.value ?? "")).toEqual({ count: 3 });
  if (area) area.value = "[1]";
  submit(form);
  await frame();
  expect(form.textContent).toContain("Arguments are a JSON object");
  if (area) area.value = '{"path": "x"}';
  submit(form);
  expect(last()).toMatchObject({ type: "call", arguments: '{"path": "x"}' });
});

it("stops a call that runs", async () => {
  const form = await tried({ type: "object" });
  submit(form);
  await frame();
  const { call } = last();
  expect(form.querySelector("button")?.textContent).toBe("Stop");
  submit(form);
  expect(last()).toEqual({ type: "stop_call", call });
});

it("shows an empty board with ways to begin, and adds from the catalogue", async () => {
  await board();
  button("Choose one from the catalogue").click();
  await frame();
  expect(last()).toEqual({ type: "look", at: "catalogue" });
  const input = { name: "token", title: "Token", several: false, description: "A token.", secret: true, required: true, default: "" };
  const entry = {
    id: "github", name: "GitHub", description: "Issues", command: "npx -y x", homepage: "", version: "",
    missing: "", deprecated: "", permissions: [], inputs: [input], added: false, update: "",
  };
  await say({ type: "catalogue", entries: [entry], problems: [] });
  button("Add GitHub").click();
  await frame();
  const form = el.querySelector<HTMLFormElement>(".vcp-entry-form");
  const field = form?.querySelector<HTMLInputElement>('input[type="password"]');
  if (!form || !field) throw new Error("no form");
  submit(form);
  expect(last()["type"]).toBe("look");
  field.value = "ghp_1";
  submit(form);
  expect(last()).toMatchObject({ type: "add_entry", entry: "github", id: "github", inputs: '{"token":"ghp_1"}', limited: false });
  expect(field.value).toBe("");
  await say({ type: "done", request: String(last()["request"]), text: "github was added.", error: null });
  expect(el.querySelector(".vcp-add")).toBeNull();
  expect(el.textContent).toContain("github was added.");
});

it("moves between the ways to add by arrow keys", async () => {
  await board(plugin());
  button("Add").click();
  await frame();
  el.querySelector('[role="tablist"]')?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  await frame();
  expect(el.querySelector('[aria-selected="true"]')?.textContent?.trim()).toBe("Form");
  expect(document.activeElement?.textContent?.trim()).toBe("Form");
});

it("takes each arrow for a step, also when the last one is not drawn yet", async () => {
  await board(plugin());
  button("Add").click();
  await frame();
  const tabs = el.querySelector('[role="tablist"]');
  for (let i = 0; i < 2; i += 1) tabs?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  await frame();
  expect(el.querySelector('[aria-selected="true"]')?.textContent?.trim()).toBe("JSON");
});

it("shows the settings with what is remembered, and forgets it", async () => {
  await board(plugin());
  button("Settings").click();
  await frame();
  await say({ type: "settings", file: "/f.json", timeout: 60, call_timeout: 30, approvals: [{ plugin: "files", tool: "read", decision: "allow" }] });
  button("Forget files read").click();
  expect(last()).toMatchObject({ type: "forget", plugin: "files", tool: "read" });
});

it("shows a question to the user and sends the answer", async () => {
  await board(plugin());
  const visit = { plugin: "files", message: "Sign in", url: "https://example.org/a", paste: false };
  host.say({ type: "asked", seq: 1, ask: { id: "q", kind: "visit", visit } });
  await frame();
  expect(el.textContent).toContain("https://example.org/a");
  host.say({ type: "ask_ended", seq: 2, ask: "q" });
  await frame();
  expect(el.textContent).not.toContain("https://example.org/a");
});

it("follows the log and keeps it bounded", async () => {
  await board(plugin());
  await unfold("Log");
  const line = (text: string) => ({ at: "12:00:00", source: "stderr", level: "info", text });
  await say({ type: "log", id: "files", whole: true, lines: [line("first")] });
  await say({ type: "log", id: "files", whole: false, lines: Array.from({ length: 500 }, (_, at) => line(`n${at}`)) });
  const lines = [...el.querySelectorAll(".vcp-log-text")].map((one) => one.textContent);
  expect(lines).toHaveLength(400);
  expect(lines.at(-1)).toBe("n499");
});

it("offers exactly what a server was refused, and says when only the server says so", async () => {
  const proven = { permit: "network_access", value: "api.example.com:443", evidence: "sandbox" };
  const said = { permit: "file_read", value: "/data/<b>", evidence: "server" };
  await board(plugin({ needs: [proven, said] }));
  expect([...el.querySelectorAll(".vcp-need-what")].map((one) => one.textContent)).toEqual(["Connect to api.example.com:443", "Read /data/<b>"]);
  expect([...el.querySelectorAll(".vcp-unproven")]).toHaveLength(1);
  button("Allow host: Connect to api.example.com:443").click();
  await frame();
  expect(last()).toMatchObject({ type: "grant", id: "files", permit: "network_access", value: "api.example.com:443", allow: true });
  await say({ type: "done", request: String(last()["request"]), text: "", error: null });
  button("Do not allow: Read /data/<b>").click();
  expect(last()).toMatchObject({ type: "grant", permit: "file_read", allow: false });
});

it("shows what a server may do, and takes it back", async () => {
  await board(plugin({ permits: [{ permit: "file_read", value: "/data/**" }] }));
  button("Take back Read /data/**").click();
  expect(last()).toMatchObject({ type: "revoke", id: "files", permit: "file_read", value: "/data/**" });
});
