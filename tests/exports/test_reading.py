"""What was exported as JSON comes back; what anybody wrote is checked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.exports.conversations import fill
from valechat.conversations import as_tags, as_title, duplicate
from valechat.errors import ConfigError, TooLarge
from valechat.exports import as_json
from valechat.exports.reading import read, read_file, take_in
from valechat.ledger.base import Ledger
from valechat.messages import ImagePart, OpaquePart, ThinkingPart, ToolCallPart, ToolResultPart


def document(ledger: Ledger) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(as_json(ledger, [fill(ledger)]))
    return found


def packed(found: dict[str, Any]) -> bytes:
    return json.dumps(found).encode()


def test_a_conversation_comes_back_under_other_ids_with_its_branches_tags_and_leaf(ledger: Ledger) -> None:
    (head,) = take_in(ledger, read(packed(document(ledger))))
    before, after = ledger.messages("c1"), ledger.messages(head.id)
    place = {message.id: number for number, message in enumerate(after)}
    assert [message.message.text for message in after] == [message.message.text for message in before]
    assert [None if m.parent_id is None else place[m.parent_id] for m in after] == [None, 0, 1, 2, 3]
    assert not {message.id for message in before} & set(place)
    assert (head.title, head.tags, head.message_count, head.total_cost) == ("Plot <b>this</b>", ("work",), 5, None)
    assert head.leaf == after[4].id
    assert [message.status for message in after] == [message.status for message in before]
    assert len(ledger.conversations()) == 2


def test_images_files_and_tool_traffic_survive(ledger: Ledger) -> None:
    (head,) = take_in(ledger, read(packed(document(ledger))))
    asked, called, answered, _, thanks = (message.message for message in ledger.messages(head.id))
    assert isinstance(asked.parts[1], ImagePart)
    assert asked.parts == ledger.messages("c1")[0].message.parts
    assert called.tool_calls[0].name == "read"
    assert isinstance(answered.parts[0], ToolResultPart)
    assert answered.parts == ledger.messages("c1")[2].message.parts
    assert thanks.parts == ledger.messages("c1")[4].message.parts


def test_what_only_a_provider_would_see_is_left_out(ledger: Ledger) -> None:
    (head,) = take_in(ledger, read(packed(document(ledger))))
    parts = [part for message in ledger.messages(head.id) for part in message.message.parts]
    assert not any(isinstance(part, OpaquePart) for part in parts)
    private = [(part.wire, part.opaque) for part in parts if isinstance(part, ThinkingPart | ToolCallPart)]
    assert private == [("", {}), ("", {})]
    assert all(message.request_id is None for message in ledger.messages(head.id))


def _message(found: dict[str, Any], number: int = 0) -> dict[str, Any]:
    message: dict[str, Any] = found["conversations"][0]["messages"][number]
    return message


WRONG: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another program's": (lambda d: d.update(format="chat"), r"format: input should be"),
    "no conversation": (lambda d: d.update(conversations=[]), r"conversations: list should have"),
    "an unknown role": (lambda d: _message(d).update(role="system"), r"conversations\[0\]\.messages\[0\]\.role"),
    "a time without a zone": (lambda d: _message(d).update(ts="2026-11-22T12:00:00"), r"messages\[0\]\.ts"),
    "an id twice": (lambda d: _message(d, 1).update(id="m1"), r"messages\[1\]\.id: another message"),
    "a later parent": (lambda d: _message(d).update(parent_id="m5"), r"messages\[0\]\.parent_id: no message before"),
    "text that is none": (lambda d: _message(d)["parts"][0].update(text=["x"]), r"parts\[0\]\.text"),
    "bytes that are none": (
        lambda d: _message(d)["parts"][1].update(data="%%%"),
        r"parts\[1\]\.data: it is not Base64",
    ),
    "a source without an address": (
        lambda d: _message(d)["parts"].append({"kind": "citation"}),
        r"parts\[2\]\.url: field required",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_right_is_refused_with_the_place(ledger: Ledger, name: str) -> None:
    spoil, message = WRONG[name]
    found = document(ledger)
    spoil(found)
    with pytest.raises(ConfigError, match=message):
        read(packed(found))
    assert len(ledger.conversations()) == 1


def test_a_newer_version_says_to_upgrade(ledger: Ledger) -> None:
    with pytest.raises(ConfigError, match=r"newer ValeChat \(version 2"):
        read(packed({**document(ledger), "version": 2}))


def test_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(TooLarge, match=r"is 5 bytes; the limit is 4"):
        read(b"[1,2]", most=4)
    with (tmp_path / "large.json").open("wb") as file:
        file.truncate(200_000_001)
    with pytest.raises(TooLarge, match=r"large\.json"):
        read_file(tmp_path / "large.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_file(tmp_path / "missing.json")
    with pytest.raises(ConfigError, match="no JSON"):
        read(b"[" * 100_000)


def test_a_duplicate_has_the_same_messages_and_has_cost_nothing(ledger: Ledger) -> None:
    copy = duplicate(ledger, fill(ledger, "Plans"))
    assert (copy.title, copy.total_cost, copy.tags, copy.message_count) == ("Plans (copy)", None, ("work",), 5)
    ledger.delete_conversation("c1")
    assert [message.message.role for message in ledger.messages(copy.id)] == [
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",
    ]


def test_titles_and_tags_are_single_lines_of_bounded_length() -> None:
    assert as_title(" a\n\tb\u202e ") == "a b"
    assert len(as_title("x" * 1000)) == 200
    assert as_tags([" Work ", "work", "", "a\nb"]) == ("Work", "a b")
    assert len(as_tags(map(str, range(100)))) == 20
