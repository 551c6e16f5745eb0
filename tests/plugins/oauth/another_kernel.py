"""Another kernel of the same user: `another_kernel.py URL CALLS`.

It calls a tool of the server so many times with the kept sign-in, and prints what came of it as JSON.
There is nobody to be asked. It begins when it can read a line.
"""

from __future__ import annotations

import asyncio
import json
import sys

import httpx2

from valechat.config import SettingsFile
from valechat.errors import ValeChatError
from valechat.keys import KeyRing
from valechat.paths import user_paths
from valechat.plugins.config import parse
from valechat.plugins.oauth import authorisation


async def main(url: str, calls: int) -> dict[str, object]:
    paths = user_paths()
    signed = authorisation(
        parse({"id": "web", "url": url, "auth": {"type": "oauth"}}),
        keys=KeyRing(paths, SettingsFile(paths).current),
        paths=paths,
        log=lambda *line: None,
    )
    assert signed is not None
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.readline)
    statuses: list[int] = []
    try:
        await signed.prepare()
        async with httpx2.AsyncClient(auth=signed) as client:
            for _ in range(calls):
                response = await client.post(url, json={})
                statuses.append(response.status_code)
    except ValeChatError as error:
        return {"error": str(error), "statuses": statuses}
    return {"error": "", "statuses": statuses}


json.dump(asyncio.run(main(sys.argv[1], int(sys.argv[2]))), sys.stdout)
