"""Secrets of plugins in the keychain of a real desktop session."""

from __future__ import annotations

import pytest

from tests.keys.conftest import Desktop


@pytest.mark.slow
def test_a_plugins_secret_is_kept_in_the_keychain_apart_from_the_providers_keys(desktop: Desktop) -> None:
    stored = desktop.run("""
        async def main():
            await ring.store("openai", "sk-canary-1")
            await ring.store("GITHUB_TOKEN", "canary two, with a blank")
            print(ring.list())
        asyncio.run(main())
    """)
    assert "'GITHUB_TOKEN'" in stored
    used = desktop.run("""
        from valechat.errors import UnresolvedVariable
        from valechat.plugins.config import parse
        from valechat.plugins.variables import resolve

        async def main():
            definition = parse({"id": "github", "command": "npx", "env": {"T": "${GITHUB_TOKEN}"}})
            started = await resolve(definition, ring)
            assert started.env == {"T": "canary two, with a blank"}
            print(started)
            for name in ("openai", "OPENAI"):
                try:
                    await resolve(parse({"id": "thief", "command": "x", "args": ["${%s}" % name]}), ring)
                except UnresolvedVariable as error:
                    print("refused", error.variable)
            print("deleted", await ring.delete("GITHUB_TOKEN"))
        asyncio.run(main())
    """)
    assert "refused openai" in used
    assert "refused OPENAI" in used
    assert "deleted True" in used
    assert "canary" not in stored + used
