"""The words of `plugins`, the same in a notebook and at a terminal. Imports nothing that is slow."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from functools import cache
from typing import Any, NoReturn

from valechat.errors import ConfigError

__all__ = ["LISTED", "NAMES_A_PLUGIN", "PERMITS", "declare", "parse"]

LISTED: dict[str, str] = {
    "list": "the plugins there are, and how they are",
    "status": "how one plugin is, in full",
    "enable": "start plugins, now and from now on",
    "disable": "stop plugins, now and from now on",
    "restart": "stop and start a plugin",
    "add": "add a plugin: from the catalogue, with --command or --url, or as JSON",
    "remove": "stop plugins and delete their entries",
    "reload": "read the file again",
    "tools": "the tools of a plugin, or of all that run",
    "tool": "switch a tool on or off: tool off git git_reset",
    "call": "call a tool: call git git_log repo_path=.",
    "logs": "the end of a plugin's log",
    "import": "servers that other programs know: import, import cursor, import FILE",
    "catalogue": "the servers that can be added by name",
    "search": "search the catalogue",
    "updates": "newer versions of packages that plugins run; --apply uses them",
    "allow": "let models call a plugin's tools, or one, without asking",
    "deny": "never let models call a plugin's tools, or one",
    "approvals": "what is allowed or denied for good",
    "forget": "ask again before a plugin's tools, or one, are called",
    "grant": "let a confined plugin do one thing more: grant files file_read /data",
    "revoke": "take such a permission back, as `status` shows it",
    "signin": "sign in to a service",
    "signout": "forget a service's sign-in",
    "schema": "the JSON Schema of mcp_plugins.json",
    "check": "check mcp_plugins.json, or another file",
}
"""The verbs and what they do, in the order of the help."""

NAMES_A_PLUGIN = frozenset(
    {
        *("status", "enable", "disable", "restart", "remove", "tools", "call", "logs"),
        *("allow", "deny", "forget", "grant", "revoke", "signin", "signout"),
    }
)
"""Verbs whose next word is a plugin's id."""


PERMITS = ("file_read", "file_write", "network_access", "env_access", "allow_degraded")
"""What `grant` and `revoke` change."""


def declare(parser: argparse.ArgumentParser, *, output: bool = False) -> None:
    """Give a parser the verbs of `plugins`; `verb` is the one chosen, None for none.

    Args:
        parser: The parser.
        output: Let each verb print JSON in the place of tables and sentences.
    """
    options: dict[str, Any] = {"dest": "verb", "metavar": "VERB"}
    verbs = parser.add_subparsers(title="verbs", **options)
    known: dict[str, argparse.ArgumentParser] = {}
    for name, about in LISTED.items():
        known[name] = verbs.add_parser(name, help=about, description=about, add_help=parser.add_help)
    for one in known.values() if output else ():
        one.add_argument(
            "--json", dest="format", action="store_const", const="json", default="table", help="print JSON"
        )
    for name in ("enable", "disable", "restart", "remove"):
        known[name].add_argument("ids", nargs="+", metavar="ID")
    for name in ("status", "tools"):
        known[name].add_argument("id", nargs="?", metavar="ID")
    for name in ("logs", "signin", "signout"):
        known[name].add_argument("id", metavar="ID")
    for name in ("allow", "deny", "forget"):
        known[name].add_argument("id", metavar="ID")
        known[name].add_argument("tool", nargs="?", metavar="TOOL")
    for name in ("grant", "revoke"):
        known[name].add_argument("id", metavar="ID")
        known[name].add_argument("permit", metavar="PERMISSION", choices=PERMITS, help=", ".join(PERMITS))
        known[name].add_argument("value", nargs="?", default="", metavar="VALUE", help="a path, a host or a variable")
    _declare_use(known)
    _declare_adding(known)


def _declare_use(known: dict[str, argparse.ArgumentParser]) -> None:
    known["logs"].add_argument("-n", "--lines", type=int, default=50, metavar="N", help="how many, 50 if left out")
    known["tool"].add_argument("switch", choices=["on", "off"])
    known["tool"].add_argument("id", metavar="ID")
    known["tool"].add_argument("tools", nargs="+", metavar="TOOL")
    call = known["call"]
    call.add_argument("id", metavar="ID")
    call.add_argument("tool", metavar="TOOL")
    call.add_argument("arguments", nargs="*", metavar="NAME=VALUE", help="or one JSON object")
    call.add_argument("--timeout", type=float, metavar="SECONDS", help="how long it may take without a word")
    known["updates"].add_argument("--apply", action="store_true", help="use the newer versions")
    known["search"].add_argument("search", nargs="+", metavar="WORD")
    known["check"].add_argument("file", nargs="?", metavar="FILE")


def _declare_adding(known: dict[str, argparse.ArgumentParser]) -> None:
    add = known["add"]
    add.add_argument(
        "name",
        nargs="?",
        metavar="ID|JSON",
        help="a name of the catalogue, the new plugin's id, or JSON as other programs have it; - reads that",
    )
    add.add_argument("-i", "--input", action="append", default=[], metavar="NAME=VALUE", help="what an entry needs")
    add.add_argument("--as", dest="as_id", metavar="ID", help="another id than the catalogue's")
    add.add_argument("-c", "--command", metavar="COMMAND", help='a program with its arguments: "uvx mcp-server-git"')
    add.add_argument("-u", "--url", metavar="URL", help="the address of a service")
    add.add_argument("--transport", choices=["http", "sse", "websocket"], help="how the service is spoken to")
    add.add_argument("-e", "--env", action="append", default=[], metavar="NAME=VALUE", help="an environment variable")
    add.add_argument("--header", action="append", default=[], metavar="NAME=VALUE", help="an HTTP header")
    add.add_argument("--oauth", action="store_true", help="the service is signed in to in the browser")
    add.add_argument("--title", metavar="NAME", help="what to call it")
    add.add_argument("--disabled", action="store_true", help="add it without starting it")
    importing = known["import"]
    importing.add_argument("source", nargs="?", metavar="PROGRAM|FILE", help="left out, all that were found are shown")
    importing.add_argument("ids", nargs="*", metavar="ID", help="which servers")
    importing.add_argument("--all", action="store_true", help="all servers of the source")


def parse(given: Sequence[str]) -> argparse.Namespace:
    """The words of a magic's line.

    Raises:
        ConfigError: They make no sense.
    """
    if given and given[0] not in LISTED and not given[0].startswith("-"):
        from difflib import get_close_matches

        near = get_close_matches(given[0], LISTED, n=1)
        raise ConfigError(
            f"plugins has no verb {given[0]!r}.",
            fix=f"Did you mean {near[0]!r}?" if near else "`%valechat plugins help` shows them.",
        )
    return _parser().parse_args(given)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        line = self.format_usage().removeprefix("usage: ")
        raise ConfigError(f"{message[:1].upper()}{message[1:]}.", fix=f"It is written: {' '.join(line.split())}")


@cache
def _parser() -> _Parser:
    parser = _Parser(prog="%valechat plugins", add_help=False, allow_abbrev=False)
    declare(parser)
    return parser
