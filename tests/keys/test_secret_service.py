"""The keychain of a real desktop session: D-Bus and GNOME's keyring."""

from __future__ import annotations

import re

import pytest

from tests.keys.conftest import Desktop

STORE = """
async def main():
    row = await ring.store("openai", "sk-canary-1")
    print("stored in", row.place)
    print(ring.list())
asyncio.run(main())
"""


@pytest.mark.slow
def test_a_stored_key_outlives_the_session_and_no_output_shows_it(desktop: Desktop) -> None:
    stored = desktop.run(STORE)
    assert "stored in keychain" in stored
    read = desktop.run("""
        async def main():
            key = await ring.get("openai")
            print(key, key.source, len(key.reveal()))
            assert key.reveal() == "sk-canary-1"
        asyncio.run(main())
    """)
    assert "<Key of openai from keychain> keychain 11" in read
    assert "canary" not in stored + read


@pytest.mark.slow
def test_a_deleted_key_is_gone_from_keychain_and_list(desktop: Desktop) -> None:
    desktop.run(STORE)
    out = desktop.run("""
        async def main():
            print("deleted", await ring.delete("openai"))
            print("again", await ring.delete("openai"))
            print("found", await ring.get("openai"), ring.list())
        asyncio.run(main())
    """)
    assert "deleted True" in out
    assert "again False" in out
    assert "found None ()" in out


@pytest.mark.slow
def test_a_key_put_into_the_keychain_by_another_program_is_found(desktop: Desktop) -> None:
    out = desktop.run("""
        import keyring
        keyring.set_password("valechat", "openai", "sk-canary-2")
        async def main():
            key = await ring.get("openai")
            assert key.reveal() == "sk-canary-2"
            print(key.source)
        asyncio.run(main())
    """)
    assert "keychain" in out


@pytest.mark.slow
def test_a_locked_keychain_says_so_and_what_to_do(desktop: Desktop) -> None:
    desktop.run(STORE)
    out = desktop.run(
        """
        async def main():
            try:
                await ring.get("openai")
            except KeyStorageError as error:
                print("refused:", error.message, "/", error.fix)
            print("not stored, so not an error:", await ring.get("anthropic"), ring.missing("anthropic"))
        asyncio.run(main())
        """,
        password="wrong",
    )
    assert "refused: The keychain is locked. / Unlock it" in out
    assert "not stored, so not an error: None No key was found for anthropic. The keychain is locked." in out


@pytest.mark.slow
def test_a_keychain_that_hangs_is_given_up_and_keeps_nobody_from_ending(desktop: Desktop) -> None:
    desktop.run(STORE)
    out = desktop.run("""
        import time
        async def main():
            os.kill(int(os.environ["KEYCHAIN_PID"]), signal.SIGSTOP)
            for _ in range(2):
                begun = time.monotonic()
                try:
                    await ring.get("openai")
                except KeyStorageError as error:
                    print("refused:", error.message, f"after {time.monotonic() - begun:.1f} s")
        asyncio.run(main())
    """)
    refusal = r"refused: The keychain did not answer within 3 s; it may be waiting for you\. after (\S+) s"
    first, second = map(float, re.findall(refusal, out))
    assert 3 <= first < 10
    assert second < 2  # it is not waited for again


@pytest.mark.slow
def test_a_keychain_that_hung_is_used_again_when_it_answers(desktop: Desktop) -> None:
    desktop.run(STORE)
    out = desktop.run("""
        import threading
        async def main():
            daemon = int(os.environ["KEYCHAIN_PID"])
            os.kill(daemon, signal.SIGSTOP)
            try:
                await ring.get("openai")
            except KeyStorageError:
                os.kill(daemon, signal.SIGCONT)
            for thread in threading.enumerate():
                if thread.name == "valechat-keychain":
                    thread.join()
            print("found", await ring.get("openai"))
        asyncio.run(main())
    """)
    assert "found <Key of openai from keychain>" in out
