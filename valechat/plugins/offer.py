"""What a catalogue's file may say of a server, as pydantic models. All are frozen; unknown keys are errors."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from valechat.config.values import wrong
from valechat.plugins.definition import BearerAuth, NoAuth, OAuth, Permissions
from valechat.plugins.fields import Command, HeaderName, Identifier, Seconds, Text, VariableName
from valechat.plugins.template import names_in

__all__ = ["CatalogueFile", "Input", "Offer", "OfferedServer", "OfferedService", "Package"]

GIVEN = {"version", "data"}
"""What `{…}` may name besides the inputs: the package's version, ValeChat's data folder."""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class Input(_Section):
    """Something the user is asked for."""

    name: Annotated[Text, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    """How the entry refers to it: `{name}`; to the folder of a file: `{name_folder}`."""
    title: Text
    """Its label."""
    description: Text
    """What to enter, and where to get it."""
    kind: Literal["text", "folder", "file", "url"] = "text"
    """What is entered, so that the right field is shown."""
    several: bool = False
    """Whether more than one may be entered."""
    required: bool = True
    """Whether the server cannot do without."""
    default: Text | None = None
    """What is used when nothing is entered."""
    secret: bool = False
    """Kept beside the keys, never in a file."""
    variable: Text = ""
    """The name under which a secret is kept, usually that of the server's own variable."""

    @model_validator(mode="after")
    def _kept_somewhere(self) -> Self:
        if self.secret and not self.variable:
            raise wrong("is a secret that has no variable", write='"SERVICE_TOKEN"', key="variable")
        return self


class Package(_Section):
    """What is installed when the server is first started."""

    registry: Literal["npm", "pypi"]
    name: Text
    version: Text


class OfferedServer(_Section):
    """How the server is started; `{name}` stands for what was entered."""

    command: Command
    args: list[Text] = Field(default_factory=list)
    env: dict[VariableName, Text] = Field(default_factory=dict)
    cwd: Text | None = None
    timeout: Seconds = 60.0
    call_timeout: Seconds = 30.0
    permissions: Permissions | None = None
    """What it needs to do its work."""


class OfferedService(_Section):
    """Where the service is; `{name}` stands for what was entered."""

    url: Text
    transport: Text = "http"
    auth: Annotated[NoAuth | BearerAuth | OAuth, Field(discriminator="type")] = NoAuth()
    headers: dict[HeaderName, Text] = Field(default_factory=dict)
    timeout: Seconds = 60.0
    call_timeout: Seconds = 30.0


class Offer(_Section):
    """A server of the catalogue: `server` for one that is started here, `service` for one at an address."""

    id: Identifier
    """What the plugin is called."""
    name: Text
    """What people call it."""
    description: Text
    """What it is for, in a sentence or two."""
    category: Text = "other"
    """What it belongs to: `files`, `code`, `data`, `web`, `knowledge`, `work`, `other`."""
    homepage: Text = ""
    """Where its documentation is."""
    publisher: Text = ""
    """Who makes it."""
    licence: Text = ""
    """Under which terms, as SPDX names them."""
    requires: Literal["node", "uv", ""] = ""
    """What has to be installed for it: Node.js for `npx`, uv for `uvx`."""
    tried: bool = False
    """Whether ValeChat's own tests run it. A service is taken from its maker's documentation."""
    deprecated: Text = ""
    """Why one should rather choose another, and which."""
    package: Package | None = None
    """What is installed, for one that is started here."""
    inputs: list[Input] = Field(default_factory=list)
    """What the user is asked for."""
    server: OfferedServer | None = None
    """How it is started."""
    service: OfferedService | None = None
    """Where it is."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.server is None) == (self.service is None):
            raise wrong("must have server or service, and not both")
        offered = self.server or self.service
        used = names_in(offered.model_dump(mode="json") if offered else {})
        asked = {needed.name for needed in self.inputs}
        asked |= {f"{needed.name}_folder" for needed in self.inputs if needed.kind == "file"}
        if unknown := used - GIVEN - asked:
            raise wrong(f"refers to {', '.join(sorted(unknown))}, which it does not ask for", key="inputs")
        if "version" in used and self.package is None:
            raise wrong("refers to {version} without a package", key="package")
        return self


class CatalogueFile(_Section):
    """A file of the catalogue."""

    schema_: Text | None = Field(default=None, alias="$schema")
    plugins: list[Offer]
