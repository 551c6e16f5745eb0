"""The environment a server gets: what every program needs, and nothing a kernel keeps for itself.

A kernel's environment is full of keys. So nothing is inherited but what is named here, what the
plugin's definition sets, and what its permissions name one by one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping

__all__ = ["minimal_environment"]

_EVERYWHERE = (
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "NODE_EXTRA_CA_CERTS",
    "NO_PROXY",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TZ",
    "UV_CACHE_DIR",
    "UV_DEFAULT_INDEX",
    "UV_INDEX_URL",
    "UV_NATIVE_TLS",
    "https_proxy",
    "http_proxy",
    "no_proxy",
    "npm_config_cache",
    "npm_config_registry",
)

_POSIX = (
    "HOME",
    "LOGNAME",
    "SHELL",
    "TERM",
    "TMPDIR",
    "USER",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
)

_WINDOWS = (
    "APPDATA",
    "COMSPEC",
    "HOMEDRIVE",
    "HOMEPATH",
    "LOCALAPPDATA",
    "PATHEXT",
    "PROCESSOR_ARCHITECTURE",
    "PROGRAMDATA",
    "PROGRAMFILES",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TMP",
    "USERNAME",
    "USERPROFILE",
    "WINDIR",
)


def minimal_environment(
    around: Mapping[str, str] | None = None, *, access: Iterable[str] = (), platform: str = sys.platform
) -> dict[str, str]:
    """The variables a server gets before its own are added.

    An address with a password in it (a proxy's, a registry's) is left out, and so is a function that bash
    exported, unless it is asked for by name.

    Args:
        around: The environment to choose from; this process's when left out.
        access: Names of further variables it may have. No wildcards: a pattern would catch keys.
        platform: As `sys.platform`.
    """
    around = os.environ if around is None else around
    names = {*_EVERYWHERE, *(_WINDOWS if platform == "win32" else _POSIX)}
    usual = {
        name: value
        for name, value in around.items()
        if (name in names or name.startswith("LC_")) and "@" not in value and not value.startswith("()")
    }
    return usual | {name: around[name] for name in access if name in around}
