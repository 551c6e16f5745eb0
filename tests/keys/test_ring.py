from __future__ import annotations

import asyncio
import datetime as dt
import json
import threading
import traceback
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import keyring
import keyring.core
import pytest
from keyring.backend import KeyringBackend

from valechat.errors import ConfigError, KeyStorageError
from valechat.keys import KeyRing
from valechat.paths import Paths

MakeRing = Callable[..., KeyRing]


class Memory(KeyringBackend):
    """A keychain of the test's own, behind the real `keyring`. Counts what it is asked."""

    priority = 5

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.asked: list[str] = []
        self.forgetful = False

    def get_password(self, service: str, username: str) -> str | None:
        self.asked.append(username)
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        if not self.forgetful:
            self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def backend() -> Iterator[Memory]:
    before = keyring.get_keyring()
    memory = Memory()
    keyring.set_keyring(memory)
    yield memory
    keyring.set_keyring(before)


async def test_a_stored_key_is_found_in_another_process(make_ring: MakeRing) -> None:
    row = await make_ring().store("openai", " sk-canary\n")
    assert (row.provider, row.place) == ("openai", "keychain")
    key = await make_ring().get("openai")
    assert key is not None
    assert (key.reveal(), key.source) == ("sk-canary", "keychain")


async def test_the_environment_comes_before_the_keychain(make_ring: MakeRing) -> None:
    await make_ring().store("openai", "sk-keychain")
    key = await make_ring({"OPENAI_API_KEY": "sk-env"}).get("openai")
    assert key is not None
    assert key.reveal() == "sk-env"


async def test_the_keychain_is_asked_once_even_by_many_at_the_same_time(make_ring: MakeRing, backend: Memory) -> None:
    await make_ring().store("openai", "sk-1")
    backend.asked.clear()
    ring = make_ring()
    await asyncio.gather(*(ring.get("openai") for _ in range(10)))
    assert backend.asked == ["openai"]


async def test_a_forgotten_key_is_looked_up_again(make_ring: MakeRing, backend: Memory) -> None:
    ring = make_ring()
    await ring.store("openai", "sk-1")
    backend.kept["valechat", "openai"] = "sk-2"
    ring.forget("openai")
    key = await ring.get("openai")
    assert key is not None
    assert key.reveal() == "sk-2"


@pytest.mark.parametrize("provider", ["ollama", "lmstudio", "demo", "mylab"])
async def test_a_server_on_this_machine_does_not_open_the_keychain(
    make_ring: MakeRing, backend: Memory, paths: Paths, provider: str
) -> None:
    paths.config_file.write_text('[providers.mylab]\nbase_url = "http://127.0.0.1:4412/v1"\n')
    assert await make_ring().get(provider) is None
    assert backend.asked == []


async def test_a_server_on_this_machine_gets_the_key_that_was_stored_for_it(make_ring: MakeRing, paths: Paths) -> None:
    paths.config_file.write_text('[providers.mylab]\nbase_url = "http://127.0.0.1:4412/v1"\n')
    await make_ring().store("mylab", "k-1")
    assert await make_ring().get("mylab") is not None


async def test_every_use_is_recorded_without_the_key(make_ring: MakeRing) -> None:
    seen: list[dict[str, Any]] = []
    ring = make_ring({"GROQ_API_KEY": "gsk-canary"}, on_access=lambda **use: seen.append(use))
    await ring.store("openai", "sk-canary")
    await ring.get("openai", purpose="chat")
    await ring.get("openai", purpose="models")
    await ring.get("groq")
    await ring.get("anthropic")
    assert [(use["key"], use["source"], use["purpose"]) for use in seen] == [
        ("openai", "keychain", "kept"),
        ("openai", "keychain", "chat"),
        ("openai", "keychain", "models"),
        ("groq", "environment GROQ_API_KEY", "request"),
    ]
    assert all(use["at"].tzinfo is dt.UTC for use in seen)
    assert "canary" not in repr(seen)


async def test_recording_does_not_block_the_loop(make_ring: MakeRing) -> None:
    threads: list[threading.Thread] = []
    ring = make_ring({"OPENAI_API_KEY": "k"}, on_access=lambda **_: threads.append(threading.current_thread()))
    await ring.get("openai")
    assert threads[0] is not threading.current_thread()


async def test_the_list_names_places_and_which_one_counts_but_no_key(make_ring: MakeRing, paths: Paths) -> None:
    paths.config_file.write_text('[providers.mistral]\napi_key = "${WORK}"\n[providers.xai]\napi_key = "canary"\n')
    await make_ring().store("openai", "sk-canary")
    await make_ring().store("groq", "gsk-canary")
    rows = make_ring({"OPENAI_API_KEY": "sk-canary"}).list()
    assert [(row.provider, row.source, row.note) for row in rows] == [
        ("groq", "keychain", ""),
        ("mistral", "environment WORK", "not usable: WORK is not set"),
        ("openai", "environment OPENAI_API_KEY", ""),
        ("openai", "keychain", "not used: environment OPENAI_API_KEY comes first"),
        ("xai", "config.toml", ""),
    ]
    assert [row.stored_at is not None for row in rows] == [True, False, False, True, False]
    assert "canary" not in repr(rows)


async def test_the_index_holds_no_key(make_ring: MakeRing, paths: Paths) -> None:
    await make_ring().store("openai", "sk-canary")
    index = (paths.data / "keys.json").read_text()
    assert "canary" not in index
    assert json.loads(index)["keys"]["openai"]["place"] == "keychain"


async def test_a_lost_index_does_not_lose_the_key(make_ring: MakeRing, paths: Paths) -> None:
    await make_ring().store("openai", "sk-1")
    (paths.data / "keys.json").write_text("{broken")
    assert await make_ring().get("openai") is not None


@pytest.mark.parametrize("value", ["", "  ", "sk canary", "sk-cänary"])
async def test_what_cannot_be_a_key_is_refused_without_showing_it(make_ring: MakeRing, value: str) -> None:
    with pytest.raises(ConfigError, match="cannot be a key") as caught:
        await make_ring().store("openai", value)
    assert "nary" not in str(caught.value)


async def test_a_keychain_that_does_not_keep_the_key_is_found_out(make_ring: MakeRing, backend: Memory) -> None:
    backend.forgetful = True
    ring = make_ring()
    with pytest.raises(KeyStorageError, match="does not give it back"):
        await ring.store("openai", "sk-1")
    assert ring.list() == ()


async def test_without_a_keychain_nothing_is_found_and_the_error_says_why(make_ring: MakeRing) -> None:
    keyring.set_keyring(keyring.core.load_keyring("keyring.backends.fail.Keyring"))
    ring = make_ring()
    assert await ring.get("openai") is None
    missing = ring.missing("openai")
    assert missing.provider == "openai"
    assert missing.message == "No key was found for openai. This system has no keychain that can be used."
    assert missing.fix == "Set OPENAI_API_KEY, or run: valechat keys set openai"


async def test_without_a_keychain_storing_says_what_to_do(make_ring: MakeRing) -> None:
    keyring.set_keyring(keyring.core.load_keyring("keyring.backends.fail.Keyring"))
    with pytest.raises(KeyStorageError, match="no keychain") as caught:
        await make_ring().store("openai", "sk-1")
    assert "--file" in caught.value.fix


async def test_without_a_keychain_a_key_that_was_stored_in_it_is_an_error(make_ring: MakeRing) -> None:
    await make_ring().store("openai", "sk-1")
    keyring.set_keyring(keyring.core.load_keyring("keyring.backends.fail.Keyring"))
    with pytest.raises(KeyStorageError, match="no keychain"):
        await make_ring().get("openai")


async def test_a_keychain_that_keeps_nothing_safely_is_refused(make_ring: MakeRing) -> None:
    keyring.set_keyring(keyring.core.load_keyring("keyring.backends.null.Keyring"))
    state = await make_ring().keychain.state()
    assert not state.usable
    assert state.message == "The keychain null.Keyring does not keep keys safely, so it is not used."


async def test_a_failing_keychain_shows_neither_the_key_nor_its_own_frames(
    make_ring: MakeRing, backend: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def set_password(service: str, username: str, password: str) -> None:
        raise RuntimeError(f"could not write {password}")

    monkeypatch.setattr(backend, "set_password", set_password)
    with pytest.raises(KeyStorageError, match=r"The keychain failed \(RuntimeError\)") as caught:
        await make_ring().store("openai", "sk-" + "canary")
    error = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    ours = [frame for frame in error.stack if "tests" not in frame.filename]
    error.stack = traceback.StackSummary.from_list(ours)
    assert "sk-canary" not in "".join(error.format())
    assert caught.value.__context__ is None


async def test_the_key_file_is_opened_with_the_environments_passphrase(make_ring: MakeRing) -> None:
    keyring.set_keyring(keyring.core.load_keyring("keyring.backends.fail.Keyring"))
    environ = {"VALECHAT_PASSPHRASE": "correct horse"}
    row = await make_ring(environ).store("openai", "sk-1", place="file")
    assert row.place == "file"
    key = await make_ring(environ).get("openai")
    assert key is not None
    assert (key.reveal(), key.source) == ("sk-1", "key file")


async def test_the_passphrase_is_asked_for_once_and_chosen_only_for_a_new_file(make_ring: MakeRing) -> None:
    asked: list[bool] = []

    async def ask(new: bool) -> str:
        asked.append(new)
        return "correct horse"

    first = make_ring(ask_passphrase=ask)
    await first.store("openai", "sk-1", place="file")
    await first.store("groq", "gsk-1", place="file")
    second = make_ring(ask_passphrase=ask)
    await second.get("openai")
    await second.get("groq")
    assert asked == [True, False]


async def test_nobody_is_asked_for_a_passphrase_without_need(make_ring: MakeRing) -> None:
    await make_ring({"VALECHAT_PASSPHRASE": "x"}).store("openai", "sk-1", place="file")

    async def ask(new: bool) -> str | None:
        raise AssertionError("not needed")

    assert await make_ring(ask_passphrase=ask).get("anthropic") is None


async def test_a_declined_passphrase_says_what_to_do(make_ring: MakeRing) -> None:
    await make_ring({"VALECHAT_PASSPHRASE": "x"}).store("openai", "sk-1", place="file")
    with pytest.raises(KeyStorageError, match="needs its passphrase") as caught:
        await make_ring().get("openai")
    assert "VALECHAT_PASSPHRASE" in caught.value.fix


async def test_a_key_moved_to_the_file_leaves_the_keychain(make_ring: MakeRing, backend: Memory) -> None:
    ring = make_ring({"VALECHAT_PASSPHRASE": "x"})
    await ring.store("openai", "sk-1")
    await ring.store("openai", "sk-2", place="file")
    assert backend.kept == {}
    ring.forget("openai")
    key = await ring.get("openai")
    assert key is not None
    assert (key.reveal(), key.source) == ("sk-2", "key file")


async def test_a_key_deleted_from_the_file_is_gone(make_ring: MakeRing) -> None:
    ring = make_ring({"VALECHAT_PASSPHRASE": "x"})
    await ring.store("openai", "sk-1", place="file")
    assert await ring.delete("openai")
    assert not await ring.delete("openai")
    assert await ring.get("openai") is None
    assert ring.list() == ()


async def test_forgetting_everything_locks_the_key_file(make_ring: MakeRing) -> None:
    ring = make_ring({"VALECHAT_PASSPHRASE": "x"})
    await ring.store("openai", "sk-1", place="file")
    ring.forget()
    assert not ring.file.unlocked


async def test_keeping_replacing_rotating_and_deleting_are_recorded_without_the_key(make_ring: MakeRing) -> None:
    rows: list[tuple[str, str, str]] = []

    def record(*, key: str, source: str, purpose: str, at: datetime) -> None:
        rows.append((key, source, purpose))

    ring = make_ring({"VALECHAT_PASSPHRASE": "correct horse"}, on_access=record)
    await ring.store("openai", "sk-1", place="file")
    await ring.store("openai", "sk-2", place="file")
    await ring.rotate("battery staple")
    await ring.delete("openai")
    assert rows == [
        ("openai", "key file", "kept"),
        ("openai", "key file", "replaced"),
        ("key file", "key file", "rotated"),
        ("openai", "key file", "deleted"),
    ]
