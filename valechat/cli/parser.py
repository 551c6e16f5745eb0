"""The sub-commands and their options. Imports nothing of ValeChat that is slow."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from valechat import __version__

__all__ = ["parse", "parser"]


class _Command:
    """A sub-command being declared; `run` is `module:function` inside `valechat.cli`."""

    def __init__(self, group: Any, name: str, run: str, help_: str) -> None:
        self.parser: argparse.ArgumentParser = group.add_parser(name, help=help_, description=help_)
        self.parser.set_defaults(run=run, passes_on=False)

    def add(self, *names: str, **options: Any) -> _Command:
        """Add an option or an argument."""
        self.parser.add_argument(*names, **options)
        return self

    def formats(self, *formats: str) -> _Command:
        """Add `--json`, `--csv`; without one of them the output is a table for people."""
        group = self.parser.add_mutually_exclusive_group()
        for name in formats:
            group.add_argument(
                f"--{name}",
                dest="format",
                action="store_const",
                const=name,
                default="table",
                help=f"print {name.upper()}",
            )
        return self


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The options of a command line, by default the process's own; `run` is what to run for them.

    Raises:
        SystemExit: Wrong use (2), `--help` or `--version` (0).
    """
    given = sys.argv[1:] if arguments is None else list(arguments)
    command = parser(with_plugins="plugins" in given)
    options, rest = command.parse_known_args(arguments)
    if rest and not options.passes_on:
        command.error(f"not an option or argument here: {rest[0]}")
    options.rest = rest
    return options


def parser(*, with_plugins: bool) -> argparse.ArgumentParser:
    """The whole command line; the verbs of `plugins` are declared only where they are needed."""
    command = argparse.ArgumentParser(
        prog="valechat", description="Every AI model, every MCP server and the whole bill, in your notebook."
    )
    command.add_argument("--version", action="version", version=f"valechat {__version__}")
    commands = command.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _working(commands)
    _keys(commands)
    _money(commands)
    _plugins(commands, declared=with_plugins)
    _ledger(commands)
    return command


def _working(commands: Any) -> None:
    lab = _Command(commands, "lab", "lab:run", "open JupyterLab on the tour; further options go to jupyter lab")
    lab.parser.set_defaults(passes_on=True)
    ask = _Command(
        commands, "ask", "ask:run", "ask a model; the answer streams to the terminal, its cost to standard error"
    )
    ask.add("question", nargs="*", help="the question; what is piped in is added to it")
    ask.add("-m", "--model", help="provider/model; left out, the configured or the best usable one")
    ask.add("-s", "--system", help="instructions that stand before the question")
    ask.add("-c", "--conversation", metavar="ID", help="go on with this conversation")
    ask.add("-a", "--attach", action="append", default=[], metavar="FILE", help="send a document with it")
    ask.add("-i", "--image", action="append", default=[], metavar="FILE", help="send an image with it")
    ask.add("-t", "--temperature", type=float)
    ask.add("--max-tokens", type=int, metavar="N", help="most tokens of the answer")
    ask.add("--max-cost", metavar="USD", help="most US dollars it may cost")
    ask.add("--tools", metavar="NAME,…", help="plugins, or single tools of theirs, that the model may call")
    ask.add("-y", "--yes", action="store_true", help="agree to a cost above confirm_above")
    ask.formats("json")
    models = _Command(commands, "models", "models:run", "what can be chatted with now, with prices")
    models.add("search", nargs="?", default="", help="only models with this in their name")
    models.add("-a", "--all", action="store_true", help="also those that lack a key or a server")
    models.formats("json", "csv")
    doctor = _Command(commands, "doctor", "doctor:run", "check the installation; says what to do")
    doctor.formats("json")


def _keys(commands: Any) -> None:
    keys = _group(commands, "keys", "API keys: set, list, delete, rotate, log")
    set_ = _Command(keys, "set", "keys:set_key", "keep a key; it is asked for, or read from a pipe")
    set_.add("provider", help="openai, anthropic, … or one of your own")
    # Taken only to be refused: argparse's own error would print it.
    set_.add("value", nargs="*", help=argparse.SUPPRESS)
    set_.add("--file", action="store_true", help="keep it in the encrypted key file, not in the keychain")
    _Command(keys, "list", "keys:list_keys", "where keys were found; never the keys").formats("json")
    _Command(keys, "delete", "keys:delete_key", "delete a kept key").add("provider")
    _Command(keys, "rotate", "keys:rotate", "encrypt the key file anew under another passphrase")
    log = _Command(keys, "log", "keys:log", "when each key was used, and for what; never the keys")
    log.add("--last", type=int, default=50, metavar="N", help="the newest N (default 50)")
    log.formats("json", "csv")


def _money(commands: Any) -> None:
    spend = _Command(commands, "spend", "spend:run", "what was spent")
    spend.add("--by", choices=["model", "day", "conversation"], default="model")
    spend.add("--month", metavar="YYYY-MM", help="only this month; 'all' for all time (default: the current month)")
    spend.formats("json", "csv")
    limits = _group(commands, "limits", "spending and rate limits: show, set, remove", default="limits:show")
    _Command(limits, "show", "limits:show", "the limits, and what is left of them").formats("json")
    set_ = _Command(limits, "set", "limits:set_limit", "set a limit; it counts from the next request, in every kernel")
    set_.add(
        "name",
        help="daily, monthly, confirm_above, conversation, model:openai/gpt-5:daily, rate:openai:requests_per_minute",
    )
    set_.add("amount", help="US dollars, or a number of requests or tokens")
    _Command(limits, "remove", "limits:remove_limit", "remove a limit").add("name")
    prices = _group(commands, "prices", "prices of models: show, update")
    show = _Command(prices, "show", "prices:show", "the price of a model, US dollars per million tokens")
    show.add("model", nargs="+", metavar="MODEL").formats("json")
    _Command(prices, "update", "prices:update", "use a newer price table").add("file", help="the table's JSON file")


def _plugins(commands: Any, *, declared: bool) -> None:
    about = "MCP servers: list, add, enable, tools, call, …"
    parser: argparse.ArgumentParser = commands.add_parser("plugins", help=about, description=about)
    parser.set_defaults(run="plugins:run", passes_on=False, format="table")
    if declared:  # two dozen verbs take a moment, which every command would wait for
        from valechat.pluginverbs.words import declare

        declare(parser, output=True)


def _ledger(commands: Any) -> None:
    sql = _Command(commands, "sql", "sql:run", "query the ledger with DuckDB's SQL")
    sql.add("query", help='for example "select model, sum(cost) from usage group by model"; - reads it from a pipe')
    sql.formats("json", "csv")
    backup = _Command(commands, "backup", "ledger:backup", "copy the whole ledger while it is in use")
    backup.add("target", nargs="?", default=".", help="a file, or a folder for a file named after the moment")
    restore = _Command(
        commands, "restore", "ledger:restore", "put a backup in the ledger's place; what was there is kept"
    )
    restore.add("source", nargs="*", help="a file that valechat backup wrote; with --salvage any number of them")
    restore.add(
        "--salvage", action="store_true", help="recover what is left of a damaged ledger, with what backups still have"
    )
    prune = _Command(
        commands, "prune", "ledger:prune", "delete what is older than [retention] in config.toml says; never accounting"
    )
    prune.add("--conversations-days", type=int, metavar="N", help="delete conversations that nobody used for so long")
    prune.add("--tool-results-days", type=int, metavar="N", help="remove what tools answered so long ago")
    export = _Command(
        commands,
        "export",
        "ledger:export",
        "write conversations as Markdown, JSON or a notebook, or the views (usage, messages, …) as CSV or Parquet",
    )
    export.add("name", nargs="*", metavar="ID|VIEW", help="conversations or views; left out, all of them")
    export.add("-o", "--output", metavar="PATH", help="the file to write, for views the folder; left out, here")
    export.formats("json", "notebook", "csv", "parquet")
    import_ = _Command(commands, "import", "ledger:take", "add the conversations of a JSON export to the ledger")
    import_.add("file", help="what valechat export --json or the panel wrote")


def _group(commands: Any, name: str, help_: str, *, default: str | None = None) -> Any:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=help_, description=help_)
    if default:
        parser.set_defaults(run=default, format="table", passes_on=False)
    options: dict[str, Any] = {"metavar": "COMMAND", "required": default is None}
    return parser.add_subparsers(title="commands", **options)
