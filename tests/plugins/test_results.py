"""A server's answer as models get it, and what the user keeps of it."""

from __future__ import annotations

import json
import struct
import time
from datetime import timedelta
from pathlib import Path

import pytest

import valechat
from valechat.messages import Message, ToolCallPart, ToolResultPart, from_json, to_json
from valechat.paths import user_paths
from valechat.plugins.base import Answer, Content
from valechat.plugins.images import unfit
from valechat.plugins.results import ResultStore, part_of, shortened, size_of
from valechat.reply import Reply
from valechat.usage import Usage

CALL = ToolCallPart("1", "files_read", "{}")
PNG = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 10, 10)
TALL = PNG[:16] + struct.pack(">II", 10, 9000)
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x11\x08" + struct.pack(">HH", 10, 9000)
WAV = b"RIFF\0\0\0\0WAVEfmt "


@pytest.fixture
def store() -> ResultStore:
    return ResultStore(user_paths().data / "tool_results")


def said(store: ResultStore, *content: Content, most: int = 30_000, **changes: object) -> ToolResultPart:
    answer = Answer(content, **changes)  # type: ignore[arg-type]  # whatever a test names
    return part_of(CALL, answer, store, most)


def text(words: str) -> Content:
    return Content("text", words)


def test_texts_follow_each_other(store: ResultStore) -> None:
    assert said(store, text("One"), text("Two")) == ToolResultPart("1", "files_read", "One\nTwo")


def test_a_failure_is_marked(store: ResultStore) -> None:
    assert said(store, text("No such file"), is_error=True).is_error


@pytest.mark.parametrize(("failed", "words"), [(False, "without saying anything"), (True, "without saying why")])
def test_a_silent_tool_is_said_to_be_silent(store: ResultStore, failed: bool, words: str) -> None:
    assert words in said(store, is_error=failed).text


@pytest.mark.parametrize(
    ("texts", "value"),
    [
        (['{"a": 1,  "b": [2]}'], {"b": [2], "a": 1}),
        (["12:00"], {"result": "12:00"}),
        (["7"], {"result": 7}),
        (["a", "b"], {"result": ["a", "b"]}),
        (['{"n": 1}', '{"n": 2}'], {"result": [{"n": 1}, {"n": 2}]}),
    ],
)
def test_a_value_that_the_text_repeats_is_sent_once(store: ResultStore, texts: list[str], value: object) -> None:
    part = said(store, *map(text, texts), structured=value)
    assert part.text == "\n".join(texts)
    assert part.structured == value


def test_a_value_that_says_more_than_the_text_is_sent_with_it(store: ResultStore) -> None:
    part = said(store, text("Two files."), structured={"files": ["a", "b"]})
    assert part.text == 'Two files.\n{"files":["a","b"]}'


def test_a_number_of_any_length_is_kept(store: ResultStore) -> None:
    assert said(store, structured={"n": 10**30}).structured == {"n": 10**30}


def test_a_value_alone_is_sent_as_json(store: ResultStore) -> None:
    assert said(store, structured={"n": 1}).text == '{"n":1}'


def test_an_image_is_shown_by_what_it_is_not_by_what_it_is_called(store: ResultStore) -> None:
    part = said(store, text("A plot"), Content("image", data=PNG, media_type="image/svg+xml"))
    assert [(image.media_type, image.data) for image in part.images] == [("image/png", PNG)]
    assert (part.text, part.whole) == ("A plot", "")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<svg/>", "in a format that models do not take"),
        (PNG + b"x" * 4_000_000, "too large for models"),
        (TALL, "over 8,000 pixels"),
        (JPEG, "over 8,000 pixels"),
    ],
)
def test_an_image_that_models_refuse_is_kept_for_the_user_with_a_line_that_says_so(
    store: ResultStore, data: bytes, why: str
) -> None:
    assert why in unfit(data)
    part = said(store, Content("image", data=data, media_type="image/png"))
    assert part.images == ()
    assert why in part.text
    (file,) = store.files(part.whole)
    assert file.read_bytes() == data
    assert f"tool_results/{part.whole}/{file.name}" in part.text


def test_an_image_of_a_failed_call_is_kept_because_models_take_none_there(store: ResultStore) -> None:
    part = said(store, Content("image", data=PNG, media_type="image/png"), is_error=True)
    assert part.images == ()
    assert [file.name for file in store.files(part.whole)] == ["1.png"]


def test_sounds_and_binary_resources_are_kept_with_a_line_that_says_what_they_are(store: ResultStore) -> None:
    sound = Content("audio", data=WAV, media_type="audio/wav")
    resource = Content("resource", data=b"\0\1", media_type="application/pdf", uri="file:///a.pdf")
    part = said(store, text("Here"), sound, resource)
    first, second, third = part.text.splitlines()
    assert first == "Here"
    assert "Audio (audio/wav, 16 bytes)" in second
    assert "Resource file:///a.pdf (application/pdf, 2 bytes)" in third
    assert [file.read_bytes() for file in store.files(part.whole)] == [WAV, b"\0\1"]


def test_a_link_and_a_text_resource_say_where_they_are_from(store: ResultStore) -> None:
    link = Content("link", uri="https://example.com/x\ny", name="Page", text="A page.", media_type="text/html")
    resource = Content("resource", "content", uri="file:///a.txt")
    assert said(store, link, resource).text == (
        "[Link Page <https://example.com/x y> (text/html) A page.]\n[Resource file:///a.txt]\ncontent"
    )


def test_a_resource_of_text_sent_as_bytes_is_read(store: ResultStore) -> None:
    text_as_bytes = Content("resource", data="é".encode(), uri="file:///a.txt", media_type="text/plain")
    assert said(store, text_as_bytes).text == "[Resource file:///a.txt (text/plain)]\né"
    no_text = Content("resource", data=b"\xff", uri="file:///a.txt", media_type="text/plain")
    assert "not shown to you" in said(store, no_text).text


def test_a_long_text_is_cut_in_the_middle_and_kept_whole(store: ResultStore) -> None:
    lines = [f"line {number}" for number in range(20_000)]
    part = said(store, text("\n".join(lines)))
    assert len(part.text.encode()) < 30_500
    assert part.text.startswith("line 0\nline 1\n")
    assert part.text.endswith("\nline 19999")
    assert "bytes were left out here. The user has all of it." in part.text
    assert store.text(part.whole) == "\n".join(lines)


def test_what_was_left_out_is_counted_in_bytes() -> None:
    cut = shortened("é" * 1000, 300, kept=True)
    shown = cut.count("é") * 2
    assert f"[{2000 - shown:,} of 2,000 bytes were left out" in cut


def test_a_long_value_is_kept_as_json_and_not_in_the_message(store: ResultStore) -> None:
    value = {"rows": list(range(20_000))}
    part = said(store, text(json.dumps(value)), structured=value)
    assert part.structured is None
    files = {file.name: file for file in store.files(part.whole)}
    assert json.loads(files["result.json"].read_text()) == value


def test_half_a_character_does_no_harm(store: ResultStore) -> None:
    part = said(store, text("a\ud800b"), structured={"x": "\udfff"})
    assert part.text.encode()
    assert json.dumps(part.structured, ensure_ascii=False).encode()


def test_what_cannot_be_kept_is_said_and_the_answer_goes_on(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    part = said(ResultStore(tmp_path / "file"), text("x" * 50_000), Content("audio", data=WAV))
    assert part.whole == ""
    assert "bytes were left out here. It could not be kept." in part.text
    assert "16 bytes): not shown to you; it could not be kept." in part.text


def kept_later(store: ResultStore) -> str:
    """A result kept at least a millisecond after the one before, by which names are in order."""
    now = time.time_ns() // 1_000_000
    while time.time_ns() // 1_000_000 == now:
        pass
    return store.keep({"result.txt": b"x" * 100})


def test_the_oldest_results_go_when_there_are_too_many(tmp_path: Path) -> None:
    store = ResultStore(tmp_path, most_bytes=250, most_results=10)
    names = [kept_later(store) for _ in range(4)]
    assert [store.text(name) is not None for name in names] == [False, False, True, True]
    few = ResultStore(tmp_path, most_results=1)
    newest = few.keep({"result.txt": b"y" * 1000})
    assert [entry.name for entry in tmp_path.iterdir()] == [newest]


@pytest.mark.parametrize("name", ["../secrets", "", "/etc", "a" * 32])
def test_no_name_leads_out_of_the_folder(store: ResultStore, name: str) -> None:
    store.keep({"result.txt": b"x"})
    assert store.files(name) == []
    assert store.text(name) is None


def test_files_are_the_users_own(store: ResultStore) -> None:
    store.keep({"result.txt": b"x"})
    assert store.folder.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("value", [0, False, "", [], {}, {"n": None}])
def test_a_result_is_stored_with_its_value(value: object) -> None:
    message = Message("tool", (ToolResultPart("1", "t", "x", structured=value, whole="ab"),))
    assert from_json(json.loads(json.dumps(to_json(message)))) == message


def test_a_result_stored_before_has_no_value() -> None:
    assert from_json({"role": "tool", "parts": [{"kind": "tool_result", "call_id": "1", "name": "t"}]}) == Message(
        "tool", (ToolResultPart("1", "t", ""),)
    )


def test_the_files_of_a_whole_answer_are_found_by_the_replys_result(store: ResultStore) -> None:
    part = said(store, Content("audio", data=WAV, media_type="audio/wav"))
    asked = Message("assistant", (ToolCallPart("1", "files_read", "{}"),))
    reply = Reply("", "demo/echo", Usage(), None, "complete", messages=(asked, Message("tool", (part,))))
    assert reply.tool_results == (part,)
    (file,) = valechat.plugins.kept(reply.tool_results[0])
    assert file.read_bytes() == WAV


def test_the_size_of_an_answer_counts_all_of_it() -> None:
    assert size_of(Answer((text("éa"), Content("audio", data=WAV)), {"n": 1})) == 3 + 16 + 7


def test_what_is_older_than_it_may_be_is_deleted_with_the_next_that_is_kept(tmp_path: Path) -> None:
    ago = f"{int((time.time() - 3 * 86_400) * 1000):012x}" + "0" * 20
    (tmp_path / ago).mkdir()
    (tmp_path / ago / "result.txt").write_text("old")
    ResultStore(tmp_path, most_age=timedelta(days=4)).keep({"result.txt": b"new"})
    assert (tmp_path / ago).exists()
    kept = ResultStore(tmp_path, most_age=timedelta(days=2)).keep({"result.txt": b"newer"})
    assert not (tmp_path / ago).exists()
    assert (tmp_path / kept).exists()
