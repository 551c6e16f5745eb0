"""What may be wrong with an installation, and what to do about each.

`diagnose` looks; `report` writes it for people. A front end adds its own checks as `extra`.
"""

from __future__ import annotations

import asyncio
import os
import platform
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import valechat
from valechat.config import KNOWN
from valechat.config.known import DEMO
from valechat.engine import engine
from valechat.errors import KeyStorageError, ValeChatError

if TYPE_CHECKING:
    from valechat.services import Services

__all__ = ["Check", "diagnose", "report"]

PATIENCE = 5.0
"""Seconds a server may take to answer."""

LABELS = {True: "ok", False: "problem", None: "unknown"}

_MOST_READ = 500_000_000
"""Bytes of a ledger that is read through for damage: a second or two, in which requests wait."""

_NETWORK = {
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "afpfs",
    "9p",
    "fuse.sshfs",
    "fuse.gcsfuse",
    "fuse.s3fs",
    "glusterfs",
}
"""File systems on other machines, as the system names them."""

_FRONT_END = ("jupyterlab", "notebook", "ipykernel", "ipywidgets", "anywidget")


@dataclass(frozen=True, slots=True)
class Check:
    """What one look found.

    Attributes:
        name: What was looked at.
        ok: Whether it is as it should be; None where that cannot be said, or does not matter yet.
        message: What was found.
        fix: What to do about it; empty when there is nothing to do.
    """

    name: str
    ok: bool | None
    message: str
    fix: str = ""


def diagnose(services: Services | None = None, extra: Iterable[Callable[[], Iterable[Check]]] = ()) -> list[Check]:
    """Look at everything; takes a few seconds at most. Never raises for what it finds.

    Args:
        services: What to look at; None means the current user's.
        extra: Further looks, called here in the caller's thread and put at the end.
    """
    if services is None:
        from valechat.services import services as current

        services = current()
    opened = services
    looks: list[tuple[str, Callable[[], Iterable[Check]]]] = [
        ("Python", _python),
        ("packages", _packages),
        ("Jupyter", _front_end),
        ("panel", _bundle),
        ("settings", lambda: _settings(opened)),
        ("ledger", lambda: _ledger(opened)),
    ]
    checks = [check for name, look in looks for check in _looked(name, look)]
    checks += engine().run(_asked(opened))
    for number, look in enumerate(extra, 1):
        checks += _looked(f"further check {number}", look)
    return checks


def report(checks: Sequence[Check]) -> str:
    """The checks as aligned lines, each with what to do below it."""
    label = max(len(text) for text in LABELS.values())
    width = max((len(check.name) for check in checks), default=0)
    lines = []
    for check in checks:
        lines.append(f"{LABELS[check.ok]:<{label}}  {check.name:<{width}}  {check.message}".rstrip())
        if check.fix:
            lines.append(f"{'':<{label}}  {'':<{width}}  → {check.fix}")
    return "\n".join(lines)


def _looked(name: str, look: Callable[[], Iterable[Check]]) -> list[Check]:
    try:
        return list(look())
    except ValeChatError as error:
        return [Check(name, ok=False, message=error.message, fix=error.fix)]
    except Exception as error:  # noqa: BLE001 - one look that fails must not take the others' results
        return [Check(name, ok=None, message=f"could not be looked at: {type(error).__name__}: {error}")]


def _python() -> Iterable[Check]:
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}"
    fits = sys.version_info >= (3, 11)
    yield Check("Python", ok=fits, message=found, fix="" if fits else "Install Python 3.11 or newer.")
    yield Check("ValeChat", ok=True, message=f"{valechat.__version__} in {Path(valechat.__file__).parent}")


def _packages() -> Iterable[Check]:
    """Whether what ValeChat needs is there, in the versions it needs."""
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(line) for line in metadata.requires("valechat") or ()]
    except metadata.PackageNotFoundError:
        yield Check("packages", ok=None, message="ValeChat is not installed as a package, so its needs are not known")
        return
    wrong = 0
    needed = [one for one in needed if one.marker is None or one.marker.evaluate({"extra": ""})]
    for one in needed:
        found = _version(one.name)
        if found is None or not one.specifier.contains(found, prereleases=True):
            wrong += 1
            yield Check(
                "packages",
                ok=False,
                message=f"{one.name} is {found or 'missing'}, needed is {one.specifier}",
                fix=f"Run: pip install '{one}'",
            )
    if not wrong:
        yield Check("packages", ok=True, message=f"all {len(needed)} that are needed are there")


def _front_end() -> Iterable[Check]:
    found = {name: _version(name) for name in _FRONT_END}
    there = ", ".join(f"{name} {version}" for name, version in found.items() if version)
    missing = [name for name in ("ipykernel", "ipywidgets", "anywidget") if found[name] is None]
    if missing:
        fix = f"Run: pip install {' '.join(missing)}"
        yield Check("Jupyter", ok=False, message=f"no {', no '.join(missing)}; the panel needs them", fix=fix)
    elif found["jupyterlab"] is None and found["notebook"] is None:
        fix = "Run: pip install 'valechat[lab]', unless your Jupyter runs from another environment."
        yield Check("Jupyter", ok=None, message=f"neither JupyterLab nor Notebook here; {there}", fix=fix)
    else:
        yield Check("Jupyter", ok=True, message=there)


def _bundle() -> Iterable[Check]:
    bundle = Path(valechat.__file__).parent / "static" / "panel.js"
    there = bundle.is_file()
    fix = "" if there else "Install a released wheel, or in a source checkout run: make lab"
    yield Check("panel", ok=there, message="its bundle is there" if there else f"{bundle} is missing", fix=fix)


def _settings(services: Services) -> Iterable[Check]:
    file = services.paths.config_file
    settings = services.settings
    message = f"{file} is read" if file.exists() else f"no {file}; every setting has its default"
    yield Check("settings", ok=True, message=message)
    for warning in settings.warnings:
        yield Check("settings", ok=None, message=warning)


def _ledger(services: Services) -> Iterable[Check]:
    from valechat.ledger.migrations import MIGRATIONS

    folder = services.paths.ledger
    if not folder.exists():
        above = next(parent for parent in folder.parents if parent.exists())
        fits = os.access(above, os.W_OK)
        fix = "" if fits else f"Allow writing to {above}, or set VALECHAT_HOME to a folder of yours."
        yield Check("ledger", ok=fits, message=f"none yet; the first request makes it in {folder}", fix=fix)
        return
    # Gives back a hold that nobody has: a write transaction that changes nothing.
    services.ledger.release("doctor")
    size = sum(entry.stat().st_size for entry in folder.rglob("*") if entry.is_file())
    if whole := size <= _MOST_READ:
        services.ledger.check()
    state = "whole, writable" if whole else "opens, writable"
    yield Check("ledger", ok=True, message=f"{folder}: {state}, schema {len(MIGRATIONS)}, {size / 1e6:.1f} MB")
    system = _file_system(folder)
    if system in _NETWORK:
        yield Check(
            "ledger",
            ok=None,
            message=f"it is on another machine ({system}), whose locks and speed it depends on",
            fix="If requests wait or fail to lock, set VALECHAT_HOME to a folder on this machine's disk.",
        )


def _file_system(folder: Path) -> str:
    """The kind of file system a folder is on; empty when the system does not say."""
    import psutil

    real = folder.resolve()
    mounts = [part for part in psutil.disk_partitions(all=True) if real.is_relative_to(part.mountpoint)]
    return max(mounts, key=lambda part: len(part.mountpoint)).fstype.lower() if mounts else ""


async def _asked(services: Services) -> list[Check]:
    """What has to be asked of others: the keychain and the providers, all at the same time."""
    try:
        settings, rows = services.settings, services.keys.list()
    except ValeChatError:
        return [Check("providers", ok=None, message="not asked, because the settings are broken")]
    usable = {row.provider for row in rows if not row.note}
    names = [name for name in settings.provider_names if name in {*usable, *settings.providers} or KNOWN[name].local]
    keychain, *providers = await asyncio.gather(
        _keychain(services), *(_provider(services, name, configured=name in settings.providers) for name in names)
    )
    found = [f"{row.provider} ({row.source})" for row in rows if not row.note]
    broken = [
        Check(f"key of {row.provider}", ok=False, message=row.note) for row in rows if row.note.startswith("not usable")
    ]
    keys = Check("keys", ok=True if found else None, message=", ".join(found) or "none", fix="" if found else _NO_KEYS)
    return [keychain, keys, *broken, *providers, *_breakers(services)]


def _breakers(services: Services) -> Iterable[Check]:
    """The providers that this process leaves alone because they failed."""
    for name, breaker in services.breakers().items():
        when = f"tried again in {breaker.seconds_left:.0f} s" if breaker.state == "open" else "tried again next time"
        yield Check(
            f"breaker of {name}",
            ok=None,
            message=f"{breaker.state}: {breaker.failures} failures in a row, {when}. Last: {breaker.last_failure}",
            fix="Choose another model, give a `fallback`, or wait.",
        )


_NO_KEYS = "For paid models: valechat keys set PROVIDER. The demonstration and local models need none."


async def _keychain(services: Services) -> Check:
    ring = services.keys
    state = await ring.keychain.state()
    if not state.usable:
        if ring.file.exists:
            return Check("key storage", ok=True, message=f"the encrypted file {ring.file.file}; {state.message}")
        return Check("key storage", ok=None, message=state.message, fix=state.fix)
    try:
        await ring.keychain.get("doctor")
    except KeyStorageError as error:
        return Check("key storage", ok=False, message=error.message, fix=error.fix)
    return Check("key storage", ok=True, message=state.message)


async def _provider(services: Services, name: str, *, configured: bool) -> Check:
    title = f"provider {name}"
    try:
        async with asyncio.timeout(PATIENCE):
            health = await services.provider(name).check()
    except TimeoutError:
        fix = "Check the network, a proxy, and base_url in config.toml."
        return Check(title, ok=False, message=f"did not answer within {PATIENCE:g} s", fix=fix)
    except ValeChatError as error:
        return Check(title, ok=False, message=error.message, fix=error.fix)
    except Exception as error:  # noqa: BLE001 - a provider may come from another package
        return Check(title, ok=False, message=f"{type(error).__name__}: {error}")
    optional = name in KNOWN and KNOWN[name].local and name != DEMO and not configured
    if optional and not health.ok:
        return Check(title, ok=None, message=f"not running at {KNOWN[name].base_url}")
    return Check(title, ok=health.ok, message=health.message, fix="" if health.ok else health.fix)


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
