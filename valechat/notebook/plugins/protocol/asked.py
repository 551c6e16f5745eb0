"""What the view asks of the kernel. What has a `request` is answered by `done`."""

from __future__ import annotations

from typing import Literal

from typing_extensions import TypedDict

__all__ = [
    "Act",
    "AddEntry",
    "AddForm",
    "AddJson",
    "AskSchema",
    "Call",
    "Change",
    "Forget",
    "FromWidget",
    "Grant",
    "Hello",
    "Import",
    "Look",
    "Reload",
    "Revoke",
    "SetSecret",
    "StopCall",
    "Switch",
    "Unfold",
]


class Hello(TypedDict):
    """A view opened, or may have missed something: send the whole board."""

    type: Literal["hello"]


class Act(TypedDict):
    """Do this to a plugin."""

    type: Literal["act"]
    request: str
    id: str
    verb: Literal["enable", "disable", "restart", "remove", "sign_in", "sign_out"]


class Unfold(TypedDict):
    """A part of a card was opened or closed; an open one is kept up to date."""

    type: Literal["unfold"]
    id: str
    part: Literal["tools", "configuration", "log"]
    open: bool


class Switch(TypedDict):
    """Offer a tool to models, or do not."""

    type: Literal["switch"]
    request: str
    id: str
    tool: str
    on: bool


class AskSchema(TypedDict):
    """A tool is about to be tried: send what it takes."""

    type: Literal["ask_schema"]
    id: str
    tool: str


class Call(TypedDict):
    """Call a tool; `arguments` is a JSON object. `call` is chosen by the view."""

    type: Literal["call"]
    call: str
    id: str
    tool: str
    arguments: str


class StopCall(TypedDict):
    """Stop a call that runs."""

    type: Literal["stop_call"]
    call: str


class Change(TypedDict):
    """Change fields of an entry; `fields` is a JSON object, null takes one away."""

    type: Literal["change"]
    request: str
    id: str
    fields: str


class SetSecret(TypedDict):
    """Keep a missing value in the keychain, and start the plugin. Never echoed, never kept."""

    type: Literal["set_secret"]
    request: str
    id: str
    name: str
    value: str


class Grant(TypedDict):
    """Grant what is offered on a card, or decline it. What is not offered there cannot be granted."""

    type: Literal["grant"]
    request: str
    id: str
    permit: str
    value: str
    allow: bool


class Revoke(TypedDict):
    """Take back what a server may do."""

    type: Literal["revoke"]
    request: str
    id: str
    permit: str
    value: str


class AddJson(TypedDict):
    """Add what was pasted: one entry, or another program's configuration."""

    type: Literal["add_json"]
    request: str
    text: str


class AddForm(TypedDict):
    """Add what the form says. `variables` has NAME=value lines, or the token of a service with `auth` bearer."""

    type: Literal["add_form"]
    request: str
    id: str
    name: str
    command: str
    url: str
    transport: str
    auth: str
    variables: str


class AddEntry(TypedDict):
    """Add an entry of the catalogue; `inputs` is a JSON object. Secrets in it go to the keychain.

    `id` is empty for the entry's own. `limited` has the sandbox hold it to what it asks for.
    """

    type: Literal["add_entry"]
    request: str
    entry: str
    id: str
    inputs: str
    limited: bool


class Look(TypedDict):
    """Something was opened: send what it shows."""

    type: Literal["look"]
    at: Literal["catalogue", "foreign", "settings"]


class Import(TypedDict):
    """Add these servers of another program."""

    type: Literal["import"]
    request: str
    path: str
    ids: list[str]


class Forget(TypedDict):
    """Ask again before this tool, or all of the plugin, are called."""

    type: Literal["forget"]
    request: str
    plugin: str
    tool: str


class Reload(TypedDict):
    """Read the file again."""

    type: Literal["reload"]
    request: str


FromWidget = (
    Hello
    | Act
    | Unfold
    | Switch
    | AskSchema
    | Call
    | StopCall
    | Change
    | SetSecret
    | Grant
    | Revoke
    | AddJson
    | AddForm
    | AddEntry
    | Look
    | Import
    | Forget
    | Reload
)
