from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from valechat.errors import KeyStorageError
from valechat.keys import Key
from valechat.keys.encrypted import COST, KeyFile

CHEAP = 2**10
"""scrypt's cost where the test is not about it."""


def opened(file: Path, passphrase: str = "correct horse") -> KeyFile:
    keys = KeyFile(file, cost=CHEAP)
    keys.unlock(passphrase)
    return keys


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "keys.enc"
    keys = opened(file)
    keys.put(Key("openai", "sk-canary", "test"))
    keys.put(Key("groq", "gsk-canary", "test"))
    return file


def test_a_key_is_read_back_with_the_passphrase(file: Path) -> None:
    key = opened(file).get("openai")
    assert key is not None
    assert (key.reveal(), key.source) == ("sk-canary", "key file")
    assert opened(file).get("anthropic") is None


def test_neither_keys_nor_provider_names_are_readable_in_the_file(file: Path) -> None:
    content = file.read_text()
    assert not [word for word in ("canary", "openai", "groq") if word in content]


@pytest.mark.skipif(os.name != "posix", reason="permissions of this kind are POSIX")
def test_the_file_is_the_users_alone(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_file_is_made_with_the_cost_that_is_advised(tmp_path: Path) -> None:
    keys = KeyFile(tmp_path / "keys.enc")
    keys.unlock("correct horse")
    keys.put(Key("openai", "sk-1", "test"))
    kdf = json.loads((tmp_path / "keys.enc").read_text())["kdf"]
    assert (kdf["name"], kdf["n"], kdf["r"], kdf["p"]) == ("scrypt", COST, 8, 1) == ("scrypt", 131072, 8, 1)


def test_a_wrong_passphrase_is_told_from_a_damaged_file(file: Path) -> None:
    with pytest.raises(KeyStorageError, match="passphrase does not open"):
        opened(file, "battery staple")


def test_the_same_passphrase_typed_on_another_system_opens_the_file(tmp_path: Path) -> None:
    opened(tmp_path / "k", "caf\u00e9").put(Key("openai", "sk-1", "test"))
    assert opened(tmp_path / "k", "cafe\u0301").get("openai") is not None


def test_a_locked_file_gives_nothing(file: Path) -> None:
    with pytest.raises(KeyStorageError, match="locked"):
        KeyFile(file).get("openai")


def test_an_empty_passphrase_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyStorageError, match="empty"):
        opened(tmp_path / "k", "")


def _flip(text: str) -> str:
    return ("B" if text[0] == "A" else "A") + text[1:]


@pytest.mark.parametrize("field", ["ciphertext", "nonce"])
def test_a_changed_file_is_refused_whole(file: Path, field: str) -> None:
    content = json.loads(file.read_text())
    content[field] = _flip(content[field])
    keys = opened(file)
    file.write_text(json.dumps(content))
    with pytest.raises(KeyStorageError, match="damaged or was changed"):
        keys.get("openai")


@pytest.mark.parametrize(
    "change",
    [
        {"format": "x"},
        {"kdf": {"name": "none", "n": 1024, "r": 8, "p": 1, "salt": ""}},
        {"kdf": {"name": "scrypt", "n": 2**30, "r": 8, "p": 1, "salt": ""}},
        {"kdf": {"name": "scrypt", "n": 1000, "r": 8, "p": 1, "salt": ""}},
        {"kdf": {"name": "scrypt", "n": True, "r": 8, "p": 1, "salt": ""}},
        {"kdf": 5},
        {"nonce": "!!"},
        {"nonce": ""},
        {"ciphertext": None},
    ],
)
def test_a_file_with_impossible_parts_is_refused(file: Path, change: dict[str, Any]) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(KeyStorageError, match="damaged or was changed"):
        opened(file)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"null"])
def test_a_file_that_is_none_of_ours_is_refused(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(KeyStorageError, match="damaged or was changed"):
        opened(file)


def test_a_newer_file_is_refused_with_what_to_do(file: Path) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | {"version": 2}))
    with pytest.raises(KeyStorageError, match="newer ValeChat") as caught:
        opened(file)
    assert caught.value.fix == "Update ValeChat."


def test_a_file_that_was_replaced_meanwhile_asks_for_its_passphrase(file: Path) -> None:
    keys = opened(file)
    file.unlink()
    opened(file, "other").put(Key("openai", "sk-2", "test"))
    with pytest.raises(KeyStorageError, match="was replaced"):
        keys.get("openai")
    assert not keys.unlocked


def test_each_write_uses_a_new_nonce(file: Path) -> None:
    before = json.loads(file.read_text())["nonce"]
    opened(file).put(Key("openai", "sk-canary", "test"))
    assert json.loads(file.read_text())["nonce"] != before


def test_a_deleted_key_is_gone_and_the_others_stay(file: Path) -> None:
    keys = opened(file)
    assert keys.drop("openai")
    assert not keys.drop("openai")
    assert opened(file).get("openai") is None
    assert opened(file).get("groq") is not None


def test_keys_put_by_two_processes_are_both_kept(file: Path) -> None:
    one, two = opened(file), opened(file)
    one.put(Key("mistral", "m-1", "test"))
    two.put(Key("xai", "x-1", "test"))
    assert opened(file).get("mistral") is not None
    assert opened(file).get("xai") is not None


@pytest.mark.skipif(sys.platform == "win32", reason="a full disk is imitated with a POSIX limit")
def test_a_full_disk_leaves_the_old_file_and_an_error_without_any_key(file: Path) -> None:
    import resource

    keys = opened(file)
    keys.get("openai")
    before, limits = file.read_bytes(), resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, limits[1]))
    try:
        with pytest.raises(KeyStorageError, match="cannot be written") as caught:
            keys.put(Key("mistral", "m-" + "canary", "test"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    assert not [secret for secret in ("m-canary", "sk-canary", "correct horse") if secret in shown]
    assert file.read_bytes() == before
    assert [entry.name for entry in file.parent.iterdir() if entry.name.endswith(".tmp")] == []


def test_a_rotated_file_has_another_salt_and_opens_with_the_new_passphrase_alone(file: Path) -> None:
    before = json.loads(file.read_text())
    opened(file).rotate("battery staple")
    after = json.loads(file.read_text())
    assert before["kdf"]["salt"] != after["kdf"]["salt"]
    with pytest.raises(KeyStorageError, match="does not open"):
        opened(file)
    key = opened(file, "battery staple").get("openai")
    assert key is not None
    assert key.reveal() == "sk-canary"


def test_who_rotated_the_file_goes_on_using_it(file: Path) -> None:
    keys = opened(file)
    keys.rotate("battery staple")
    keys.put(Key("groq", "gsk-1", ""))
    assert opened(file, "battery staple").get("groq") is not None


def test_a_file_that_another_kernel_rotated_asks_for_its_new_passphrase(file: Path) -> None:
    elsewhere = opened(file)
    opened(file).rotate("battery staple")
    with pytest.raises(KeyStorageError, match="was replaced"):
        elsewhere.get("openai")


def test_an_empty_new_passphrase_changes_nothing(file: Path) -> None:
    before = file.read_bytes()
    with pytest.raises(KeyStorageError, match="empty"):
        opened(file).rotate("")
    assert file.read_bytes() == before
