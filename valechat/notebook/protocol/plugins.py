"""Plugins in the panel: which a chat uses, their prompts as slash commands, their resources as attachments."""

from __future__ import annotations

from typing import Literal, NotRequired

from typing_extensions import TypedDict

from valechat.notebook.protocol.shown import AttachmentShown, ErrorShown

__all__ = [
    "AttachResource",
    "Complete",
    "Completed",
    "Fetched",
    "ListOffers",
    "Offers",
    "PluginShown",
    "Plugins",
    "PromptArgumentShown",
    "PromptShown",
    "ResourceShown",
    "UsePlugin",
    "UsePrompt",
]


class PluginShown(TypedDict):
    """A plugin in the panel's menu.

    `used`: this chat's questions offer its tools. `tools` counts those that are offered, `tokens` is roughly
    what they cost in each request. `problem` says what is wrong and what to do.
    """

    id: str
    name: str
    state: Literal["stopped", "starting", "initialising", "running", "error", "stopping"]
    used: bool
    tools: int
    tokens: int
    problem: str
    prompts: bool
    resources: bool


class PromptArgumentShown(TypedDict):
    """A value that a prompt or a resource's address takes."""

    name: str
    title: str
    description: str
    required: bool


class PromptShown(TypedDict):
    """A prompt that a plugin has ready."""

    plugin: str
    name: str
    title: str
    description: str
    arguments: list[PromptArgumentShown]


class ResourceShown(TypedDict):
    """Something that can be attached. With `variables`, `uri` is a template that takes them."""

    plugin: str
    uri: str
    name: str
    title: str
    description: str
    media_type: str
    size: int | None
    variables: list[PromptArgumentShown]


class UsePlugin(TypedDict):
    """Offer this plugin's tools in this chat, or not. One that does not run yet is started."""

    type: Literal["use_plugin"]
    plugin: str
    on: bool


class ListOffers(TypedDict):
    """What do the plugins that run have ready? Answered by `offers`."""

    type: Literal["list_offers"]
    what: Literal["prompts", "resources"]


class UsePrompt(TypedDict):
    """Bring a prompt's text. `arguments` is a JSON object of texts. Answered by `fetched` of that `number`."""

    type: Literal["use_prompt"]
    number: int
    plugin: str
    name: str
    arguments: str


class AttachResource(TypedDict):
    """Attach a resource to the question. `variables` is a JSON object of texts, for a template."""

    type: Literal["attach_resource"]
    number: int
    plugin: str
    uri: str
    name: str
    variables: NotRequired[str]


class Complete(TypedDict):
    """How may this value go on? `ref` is the prompt's name or the template; `filled` a JSON object of the others."""

    type: Literal["complete"]
    number: int
    plugin: str
    kind: Literal["prompt", "template"]
    ref: str
    argument: str
    value: str
    filled: str


class Plugins(TypedDict):
    """All plugins as they stand. `problem` is what is wrong with their file, empty when nothing is."""

    type: Literal["plugins"]
    seq: int
    plugins: list[PluginShown]
    problem: str


class Offers(TypedDict):
    """What the plugins that run have ready. `problems` names those that did not say."""

    type: Literal["offers"]
    seq: int
    what: Literal["prompts", "resources"]
    prompts: list[PromptShown]
    resources: list[ResourceShown]
    problems: list[str]


class Fetched(TypedDict):
    """A prompt's text for the composer, or a resource as an attachment the kernel keeps; or why not."""

    type: Literal["fetched"]
    seq: int
    number: int
    text: str
    attachments: list[AttachmentShown]
    error: ErrorShown | None


class Completed(TypedDict):
    """How the value may go on; empty when nobody knows."""

    type: Literal["completed"]
    seq: int
    number: int
    values: list[str]
