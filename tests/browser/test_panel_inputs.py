"""Images and files in the panel: chosen, dropped and pasted, to the model, the ledger and back."""

import struct
import zlib
from pathlib import Path
from typing import Literal

from playwright.async_api import Locator, expect

from tests.browser.support.front_end import FrontEndUnderTest
from tests.browser.support.panel import ChatPanel

CHAT = "import valechat\nchat = valechat.Chat('demo/echo')\nchat"
THEMES: tuple[Literal["Dark"], Literal["Light"]] = ("Dark", "Light")
STORED = """from valechat.services import services
from valechat.engine import engine
stored = engine().run(chat.stored())
print([(type(part).__name__, part.name, part.media_type, len(part.data)) for part in stored[0].message.parts[1:]])"""


def png(width: int, height: int) -> bytes:
    """A picture that runs from blue to orange."""
    rows = b"".join(
        b"\0" + b"".join(bytes((255 * x // width, 120, 255 - 255 * x // width)) for x in range(width))
        for _ in range(height)
    )

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


async def opened(front_end: FrontEndUnderTest, home: Path, *more: str, chat: str = CHAT) -> ChatPanel:
    notebook = await front_end.open([chat, *more], home=home)
    await notebook.run(1)
    panel = ChatPanel(notebook, 1)
    await expect(panel.composer).to_be_enabled()
    await expect(panel.root.get_by_role("button", name="Attach images or files")).to_be_enabled()
    return panel


async def choose(panel: ChatPanel, *paths: Path) -> None:
    """Through the paperclip and the file dialog."""
    async with panel.notebook.page.expect_file_chooser() as chooser:
        await panel.root.get_by_role("button", name="Attach images or files").click()
    await (await chooser.value).set_files(list(paths))


def chips(panel: ChatPanel) -> Locator:
    return panel.root.locator(".vc-composer .vc-file")


_TRANSFER = """
const transfer = new DataTransfer();
const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
transfer.items.add(new File([bytes], name, {type}));
"""


# Whether the stored draft names so many files by the kernel's ids.
KEPT = """(count) => Object.values(JSON.parse(localStorage.getItem("valechat.drafts") ?? "{}"))
    .some(({files}) => files.filter((file) => file.id !== "").length === count)"""


async def test_files_chosen_are_sent_shown_stored_and_still_there_after_a_reload(
    front_end: FrontEndUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "sunset.png").write_bytes(png(300, 180))
    (tmp_path / "notes.md").write_text("# Notes\n\nRemember the word heliotrope.\n")
    (tmp_path / "paper.pdf").write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + b"0" * 40_000)
    home = tmp_path / "home"
    home.mkdir()
    panel = await opened(front_end, home, STORED)
    await choose(panel, tmp_path / "sunset.png", tmp_path / "notes.md", tmp_path / "paper.pdf")
    await expect(chips(panel)).to_have_count(3)
    await expect(chips(panel).nth(0).locator("img")).to_be_visible()
    await expect(chips(panel).nth(2)).to_contain_text("40 KB")
    for theme in THEMES:
        await panel.notebook.set_theme(theme)
        await panel.notebook.screenshot(f"inputs-chips-{theme.lower()}")

    # Attached and not sent, they outlive the page: the kernel has them, and the browser's storage their names.
    await panel.notebook.page.wait_for_function(KEPT, arg=3)
    await panel.notebook.save()
    await panel.notebook.reload()
    panel = ChatPanel(panel.notebook, 1)
    await expect(chips(panel).nth(0).locator("img")).to_be_visible()
    await expect(chips(panel).locator(".vc-file-name")).to_have_text(["sunset.png", "notes.md", "paper.pdf"])
    await expect(chips(panel).nth(2)).to_contain_text("40 KB")
    await panel.ask("What is this?")
    await panel.finished()
    await expect(chips(panel)).to_have_count(0)
    picture = panel.questions.locator(".vc-picture img")
    await expect(picture).to_be_visible()
    assert await picture.evaluate("img => [img.naturalWidth, img.naturalHeight]") == [300, 180]
    for theme in THEMES:
        await panel.notebook.set_theme(theme)
        await panel.notebook.screenshot(f"inputs-sent-{theme.lower()}")
    await panel.notebook.run(2)
    assert (await panel.notebook.text(2)).strip() == (
        f"[('ImagePart', 'sunset.png', 'image/png', {len(png(300, 180))}), "
        "('FilePart', 'notes.md', 'text/markdown', 39), ('FilePart', 'paper.pdf', 'application/pdf', 40015)]"
    )
    await panel.notebook.save()
    await panel.notebook.reload()
    panel = ChatPanel(panel.notebook, 1)
    await expect(panel.questions.locator(".vc-picture img")).to_be_visible()
    await expect(panel.questions.locator(".vc-file-name")).to_have_text(["notes.md", "paper.pdf"])
    assert panel.notebook.errors == []


async def test_a_file_dropped_on_the_panel_is_attached_and_can_be_removed(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    panel = await opened(lab, tmp_path)
    hovered = await panel.root.evaluate(
        f"""(root, [data, name, type]) => {{ {_TRANSFER}
            const event = (kind) => new DragEvent(kind, {{dataTransfer: transfer, bubbles: true, cancelable: true}});
            const log = root.querySelector(".vc-log");
            log.dispatchEvent(event("dragenter"));
            const hovered = !root.querySelector(".vc-drop").hidden;
            const drop = event("drop");
            log.dispatchEvent(drop);
            return [hovered, root.querySelector(".vc-drop").hidden, drop.defaultPrevented];
        }}""",
        ["aGVsbG8=", "hello.txt", "text/plain"],
    )
    assert hovered == [True, True, True]
    await expect(chips(panel)).to_contain_text("hello.txt")
    await panel.root.get_by_role("button", name="Remove hello.txt").click()
    await expect(chips(panel)).to_have_count(0)


async def test_a_picture_pasted_is_attached_and_goes_without_a_word(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    panel = await opened(lab, tmp_path, STORED)
    await panel.composer.focus()
    # Through the clipboard itself, as after a screenshot.
    await panel.notebook.page.evaluate(
        """async () => {
            const canvas = Object.assign(document.createElement("canvas"), {width: 40, height: 30});
            canvas.getContext("2d").fillRect(5, 5, 20, 10);
            const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
            await navigator.clipboard.write([new ClipboardItem({"image/png": blob})]);
        }"""
    )
    await panel.composer.press("Control+v")
    await expect(chips(panel)).to_have_count(1)
    await panel.composer.press("Enter")
    await panel.finished()
    await expect(panel.questions.locator(".vc-picture img")).to_be_visible()
    await panel.notebook.run(2)
    assert "'ImagePart'" in await panel.notebook.text(2)


async def test_a_file_over_the_limit_is_refused_beside_its_chip(lab: FrontEndUnderTest, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('[sizes]\nupload = "2 KB"\n')
    (tmp_path / "big.csv").write_text("x" * 3000)
    panel = await opened(lab, tmp_path)
    await choose(panel, tmp_path / "big.csv")
    await expect(chips(panel).get_by_role("alert")).to_have_text("3 KB. Too large: the limit is 2 KB.")
    await panel.composer.fill("Why?")
    await expect(panel.root.get_by_role("button", name="Send", exact=True)).to_be_disabled()
    await panel.notebook.screenshot("inputs-too-large")
    await panel.root.get_by_role("button", name="Remove big.csv").click()
    await expect(panel.root.get_by_role("button", name="Send", exact=True)).to_be_enabled()


async def test_a_refused_question_gives_its_attachments_back_to_be_sent_again(
    lab: FrontEndUnderTest, tmp_path: Path
) -> None:
    (tmp_path / "sunset.png").write_bytes(png(30, 20))
    (tmp_path / "config.toml").write_text(
        '[providers.mylab]\nkind = "openai-compatible"\nbase_url = "http://127.0.0.1:9/v1"\nmodels = ["scripted"]\n'
    )
    chat = "import valechat\nchat = valechat.Chat('mylab/scripted')\nchat"
    panel = await opened(lab, tmp_path, "chat.model = 'demo/echo'; chat.changed()", STORED, chat=chat)
    await choose(panel, tmp_path / "sunset.png")
    await panel.ask("What is this?")
    await expect(panel.error).to_be_visible(timeout=20_000)
    await expect(panel.composer).to_have_value("What is this?")
    await expect(chips(panel).locator("img")).to_be_visible()
    await panel.notebook.run(2)
    await expect(panel.root.locator(".vc-models-name")).to_contain_text("echo")
    await panel.composer.press("Enter")
    await panel.finished()
    await panel.notebook.run(3)
    assert "('ImagePart', 'sunset.png', 'image/png'" in await panel.notebook.text(3)
