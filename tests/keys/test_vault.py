from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.keys.conftest import Desktop
from valechat.errors import KeyStorageError
from valechat.keys import Key, KeyRing, Vault, vault
from valechat.paths import Paths

NAME = "plugin:web:oauth"
LONG = '{"token": "ä b ' + "x" * 5000 + '"}'


@pytest.fixture(autouse=True)
def empty_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_memory", {})


def a_secret(value: str = LONG) -> Key:
    return Key(NAME, value, "")


async def test_without_a_keychain_it_is_kept_in_memory_and_says_so(
    make_ring: Callable[..., KeyRing], paths: Paths
) -> None:
    one = Vault(make_ring(), paths)
    assert await one.write(a_secret(), purpose="sign-in") == "memory"
    found = await Vault(make_ring(), paths).read(NAME, purpose="refresh")
    assert found is not None
    assert (found.reveal(), found.source) == (LONG, "memory")


async def test_with_a_passphrase_it_is_kept_in_the_key_file_for_the_next_kernel(
    make_ring: Callable[..., KeyRing], paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"VALECHAT_PASSPHRASE": "correct horse"}
    assert await Vault(make_ring(environ), paths).write(a_secret(), purpose="sign-in") == "file"
    found = await Vault(make_ring(environ), paths).read(NAME, purpose="refresh")
    assert found is not None
    assert (found.reveal(), found.source) == (LONG, "key file")
    everything = b"".join(file.read_bytes() for file in paths.data.rglob("*") if file.is_file())
    assert b"xxxx" not in everything


async def test_a_kept_secret_whose_storage_is_locked_is_not_taken_for_none(
    make_ring: Callable[..., KeyRing], paths: Paths
) -> None:
    await Vault(make_ring({"VALECHAT_PASSPHRASE": "correct horse"}), paths).write(a_secret(), purpose="sign-in")
    with pytest.raises(KeyStorageError, match="passphrase"):
        await Vault(make_ring(), paths).read(NAME, purpose="refresh")


async def test_a_deleted_secret_is_gone(make_ring: Callable[..., KeyRing], paths: Paths) -> None:
    kept = Vault(make_ring({"VALECHAT_PASSPHRASE": "correct horse"}), paths)
    await kept.write(a_secret(), purpose="sign-in")
    assert await kept.delete(NAME)
    assert await kept.read(NAME, purpose="refresh") is None
    assert not await kept.delete(NAME)


async def test_each_use_is_recorded_without_the_secret(make_ring: Callable[..., KeyRing], paths: Paths) -> None:
    uses: list[dict[str, Any]] = []
    one = Vault(make_ring(on_access=lambda **use: uses.append(use)), paths)
    await one.write(a_secret(), purpose="sign-in")
    await one.read(NAME, purpose="refresh")
    assert [(use["key"], use["source"], use["purpose"]) for use in uses] == [
        (NAME, "memory", "sign-in"),
        (NAME, "memory", "refresh"),
    ]
    assert "xxxx" not in repr(uses)


@pytest.mark.slow
def test_a_keychain_holds_a_long_secret_in_parts_and_a_shorter_one_leaves_none_behind(desktop: Desktop) -> None:
    said = desktop.run("""
        import keyring
        from valechat.keys import Key, Vault
        async def main():
            vault = Vault(ring, user_paths())
            long, short = "ä" + "x" * 5000, "y"
            print(await vault.write(Key("plugin:web:oauth", long, ""), purpose="sign-in"))
            print((await vault.read("plugin:web:oauth", purpose="read")).reveal() == long)
            backend = keyring.get_keyring()
            def entries():
                collection = backend.get_preferred_collection()
                return sorted(len(item.get_secret()) for item in collection.get_all_items())
            print(max(entries()) <= 1280, len(entries()))
            await vault.write(Key("plugin:web:oauth", short, ""), purpose="refresh")
            print((await vault.read("plugin:web:oauth", purpose="read")).reveal(), len(entries()))
            print(await vault.delete("plugin:web:oauth"), entries())
        asyncio.run(main())
    """)
    assert said.split("\n")[:5] == ["keychain", "True", "True 6", "y 1", "True []"]
