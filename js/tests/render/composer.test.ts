import { beforeEach, describe, expect, it, vi } from "vitest";

import { Composer } from "../../src/render/composer";
import { chip } from "../../src/chips";
import { EMPTY, apply, asked, stopped, type View } from "../../src/store";
import { state } from "../kernel";

const actions = { typed: vi.fn(), send: vi.fn(), stop: vi.fn(), attach: vi.fn(), detach: vi.fn() };
const ready: View = apply(EMPTY, state(1)).view;
let composer: Composer;

function button(): HTMLButtonElement {
  return composer.node.querySelector(".vc-send") as HTMLButtonElement;
}

function press(init: KeyboardEventInit): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { bubbles: true, cancelable: true, ...init });
  composer.field.dispatchEvent(event);
  return event;
}

beforeEach(() => {
  vi.clearAllMocks();
  composer = new Composer(actions);
  document.body.replaceChildren(composer.node);
  composer.update({ ...ready, draft: "Why?" });
});

describe("Enter", () => {
  it("sends the text", () => {
    const event = press({ key: "Enter" });
    expect(actions.send).toHaveBeenCalledExactlyOnceWith("Why?", []);
    expect(event.defaultPrevented).toBe(true);
  });

  it("with Shift makes a new line", () => {
    const event = press({ key: "Enter", shiftKey: true });
    expect(actions.send).not.toHaveBeenCalled();
    expect(event.defaultPrevented).toBe(false);
  });

  it.each([{ ctrlKey: true }, { metaKey: true }])("with %o sends too", (modifier) => {
    press({ key: "Enter", ...modifier });
    expect(actions.send).toHaveBeenCalledOnce();
  });

  it("while an input method composes accepts its suggestion and sends nothing", () => {
    press({ key: "Enter", isComposing: true });
    press({ key: "Enter", keyCode: 229 });
    expect(actions.send).not.toHaveBeenCalled();
  });

  it("on blank text sends nothing", () => {
    composer.update({ ...ready, draft: "  \n" });
    press({ key: "Enter" });
    expect(actions.send).not.toHaveBeenCalled();
  });

  it("while an answer is under way neither sends nor stops nor breaks the line", () => {
    composer.update({ ...asked(ready, "t1", "One?"), draft: "Two?" });
    const event = press({ key: "Enter" });
    expect(actions.send).not.toHaveBeenCalled();
    expect(actions.stop).not.toHaveBeenCalled();
    expect(event.defaultPrevented).toBe(true);
    expect(composer.field.value).toBe("Two?");
  });
});

describe("the button", () => {
  it("sends, and is off when there is nothing to send", () => {
    expect(button().getAttribute("aria-label")).toBe("Send");
    button().click();
    expect(actions.send).toHaveBeenCalledOnce();
    composer.update(ready);
    expect(button().disabled).toBe(true);
  });

  it("stops while an answer is under way, and then waits for it to stop", () => {
    const busy = asked(ready, "t1", "Why?");
    composer.update(busy);
    expect(button().getAttribute("aria-label")).toBe("Stop");
    button().click();
    expect(actions.stop).toHaveBeenCalledOnce();
    composer.update(stopped(busy, ["t1"]));
    expect(button().getAttribute("aria-label")).toBe("Stopping");
    expect(button().disabled).toBe(true);
  });

  it("is off when the kernel is gone", () => {
    composer.update({ ...ready, draft: "Why?", link: "gone" });
    expect(button().disabled).toBe(true);
  });
});

describe("the field", () => {
  it("tells what is typed", () => {
    composer.field.value = "Why not?";
    composer.field.dispatchEvent(new Event("input"));
    expect(actions.typed).toHaveBeenCalledExactlyOnceWith("Why not?");
  });

  it("takes text that comes back from the kernel", () => {
    composer.update({ ...ready, draft: "came back" });
    expect(composer.field.value).toBe("came back");
  });

  it("is left alone while an input method composes in it", () => {
    composer.field.dispatchEvent(new CompositionEvent("compositionstart"));
    composer.field.value = "か";
    composer.update({ ...ready, draft: "from elsewhere" });
    expect(composer.field.value).toBe("か");
    composer.field.dispatchEvent(new CompositionEvent("compositionend"));
    composer.update({ ...ready, draft: "from elsewhere" });
    expect(composer.field.value).toBe("from elsewhere");
  });
});

describe("attachments", () => {
  const notes = chip({ name: "notes.md", size: 1200, bytes: new ArrayBuffer(1200) });

  it("stand as chips with name, size and a way to remove them", () => {
    composer.update({ ...ready, draft: "Why?", chips: [notes] });
    expect(composer.node.querySelector(".vc-file-name")?.textContent).toBe("notes.md");
    expect(composer.node.querySelector(".vc-file-size")?.textContent).toBe("1.2 KB");
    composer.node.querySelector<HTMLButtonElement>('[aria-label="Remove notes.md"]')?.click();
    expect(actions.detach).toHaveBeenCalledExactlyOnceWith(notes.key);
  });

  it("can be sent without a word", () => {
    composer.update({ ...ready, chips: [notes] });
    button().click();
    expect(actions.send).toHaveBeenCalledExactlyOnceWith("", [notes]);
  });

  it.each([
    ["is over the limit", chip({ name: "big.bin", size: 20_000_000 }), "20 MB. Too large: the limit is 10 MB."],
    ["was refused", chip({ name: "x", size: 5, problem: "Attach it again." }), "5 B. Attach it again."],
  ])("one that %s says so beside it and keeps the question from leaving", (_, bad, said) => {
    composer.update({ ...ready, draft: "Why?", chips: [notes, bad] });
    expect(composer.node.querySelector('[role="alert"]')?.textContent).toBe(said);
    expect(button().disabled).toBe(true);
  });

  it("is waited for while it is read", () => {
    composer.update({ ...ready, draft: "Why?", chips: [chip({ name: "slow", size: 5 })] });
    expect(composer.node.querySelector(".vc-file-size")?.textContent).toBe("Reading");
    expect(button().disabled).toBe(true);
  });

  it("come by paste, unless text is what was copied", () => {
    const file = new File(["x"], "plot.png", { type: "image/png" });
    const paste = (types: string[]) => {
      const event = new Event("paste", { bubbles: true, cancelable: true });
      Object.assign(event, { clipboardData: { files: [file], types } });
      composer.field.dispatchEvent(event);
      return event.defaultPrevented;
    };
    expect(paste(["text/plain", "Files"])).toBe(false);
    expect(actions.attach).not.toHaveBeenCalled();
    expect(paste(["Files"])).toBe(true);
    expect(actions.attach).toHaveBeenCalledExactlyOnceWith([file]);
  });
});
