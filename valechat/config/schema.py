"""What may stand in `config.toml`, as pydantic models. All are frozen; unknown keys are errors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ByteSize, ConfigDict, Field, PrivateAttr, field_validator, model_validator

from valechat.config.known import DEMO, KNOWN
from valechat.config.names import PROVIDER_NAME, nearest, parse_model
from valechat.config.values import (
    BaseUrl,
    Header,
    HeaderValue,
    ModelName,
    Money,
    ProviderKind,
    Size,
    TimeZone,
    is_local,
    wrong,
)
from valechat.config.variables import resolve
from valechat.errors import ConfigError

__all__ = [
    "ConversationLimits",
    "Limits",
    "ModelLimits",
    "PluginSettings",
    "PriceSettings",
    "ProviderSettings",
    "RateLimits",
    "Retention",
    "Section",
    "Settings",
    "Sizes",
    "VariableSettings",
]

Count = Annotated[int, Field(strict=True, gt=0, le=10**15)]


class Section(BaseModel):
    """A table of the file. What it holds is not shown in pydantic's own errors: it may be a secret."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True)


class ProviderSettings(Section):
    """`[providers.NAME]`: a model server, or changes to a built-in one."""

    kind: ProviderKind
    """The wire it speaks: `openai`, `anthropic`, `gemini`, `openrouter`, `ollama`, `lmstudio`, `openai-compatible`,
    or one that a package brings. May be left out where the provider's name says it; otherwise `openai-compatible`."""
    base_url: BaseUrl | None = None
    """Where its API is. Built-in providers have their own."""
    api: Literal["chat", "responses"] | None = None
    """Which of OpenAI's two APIs to speak; left out, what the kind does best."""
    api_key: HeaderValue | None = None
    """`${VAR}`. Left out, the key comes from the usual variable, the keychain or the key file."""
    timeout: Annotated[float, Field(strict=True, gt=0, le=86_400, allow_inf_nan=False)] | None = None
    """Seconds without a byte from the server before giving up."""
    headers: dict[Header, HeaderValue] = Field(default_factory=dict)
    """Further HTTP headers; `${VAR}` is replaced when they are sent."""
    models: tuple[Annotated[str, Field(strict=True, min_length=1)], ...] = ()
    """Its models, where the server cannot list them itself."""
    allow_insecure: Annotated[bool, Field(strict=True)] = False
    """Allow plain http to another machine: everyone on the way can read key and conversation."""

    @model_validator(mode="after")
    def _reachable_and_safe(self) -> ProviderSettings:
        if self.base_url is None:
            if self.kind == "openai-compatible":
                raise wrong("needs base_url, the address of the server", fix='Write base_url = "https://…/v1".')
        elif self.base_url.startswith("http:") and not is_local(self.base_url) and not self.allow_insecure:
            raise wrong(
                "is plain http to another machine: everyone on the way can read your key and your conversations",
                fix="Use https, or write allow_insecure = true if the network is your own.",
                key="base_url",
            )
        return self

    def resolved_headers(self, environ: Mapping[str, str] | None = None, *, provider: str = "") -> dict[str, str]:
        """The headers as they are sent. Secret from here on.

        Raises:
            ConfigError: A variable they refer to is not set.
        """
        return {
            name: resolve(value, environ, setting=f"providers.{provider}.headers.{name}")
            for name, value in self.headers.items()
        }


class PriceSettings(Section):
    """`[prices."provider/model"]`: US dollars per million tokens. Wins over the built-in table."""

    input: Money
    output: Money
    cache_read: Money | None = None
    """Input read from the provider's cache; left out, it is not known."""
    cache_write: Money | None = None
    """Input written to the provider's cache; left out, it is not known."""


class ModelLimits(Section):
    """`[limits.models."provider/model"]`, US dollars."""

    daily: Money | None = None
    monthly: Money | None = None


class ConversationLimits(Section):
    """`[limits.conversation]`, US dollars for each conversation."""

    total: Money | None = None


class RateLimits(Section):
    """`[limits.rate.PROVIDER]`: what may be asked of a provider in a minute, by all kernels together."""

    requests_per_minute: Count | None = None
    tokens_per_minute: Count | None = None
    cost_per_minute: Money | None = None


class Limits(Section):
    """`[limits]`, US dollars over all models."""

    daily: Money | None = None
    monthly: Money | None = None
    confirm_above: Money | None = None
    """Ask before a single request that may cost more."""
    models: dict[ModelName, ModelLimits] = Field(default_factory=dict)
    conversation: ConversationLimits = ConversationLimits()
    rate: dict[str, RateLimits] = Field(default_factory=dict)

    @field_validator("models", mode="before")
    @classmethod
    def _one_entry_a_model(cls, value: Any) -> Any:
        return _once_each(value)


class Sizes(Section):
    """`[sizes]`: the most that is accepted, in bytes; `"50 KB"` is 50,000, `"50 KiB"` 51,200."""

    message: Size = ByteSize(50_000)
    conversation: Size = ByteSize(1_000_000)
    tool_input: Size = ByteSize(10_000)
    tool_output: Size = ByteSize(30_000)
    """What a model gets of a plugin's answer; the user has all of it."""
    upload: Size = ByteSize(10_000_000)


class Retention(Section):
    """`[retention]`: how many days contents are kept; left out, for ever. Accounting always is."""

    conversations_days: Count | None = None
    """Days after which a conversation that nobody used is deleted."""
    tool_results_days: Count | None = None
    """Days after which what tools answered is removed from conversations."""


class VariableSettings(Section):
    """`[variables]`: how the notebook's variables are described to a model."""

    tokens: Count = 1_500
    """About how many tokens a table or a collection may take."""


class PluginSettings(Section):
    """`[plugins]`: what plugins may do. The plugins themselves are in `mcp_plugins.json`."""

    trust_read_only: bool | tuple[str, ...] = False
    """Run tools that their server calls read-only without asking: of all plugins, or of those listed.

    The hint is the server's own claim, so this is for servers that you trust as you trust your own code.
    """
    sampling_per_minute: Count = 10
    """How often a plugin's server may have a model answer it in a minute."""

    @field_validator("trust_read_only", mode="before")
    @classmethod
    def _all_or_some(cls, value: Any) -> Any:
        if isinstance(value, bool) or (isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)):
            return value
        raise wrong("is neither true, false nor a list of plugins", write='["git"]')

    def trusts_hints_of(self, plugin: str) -> bool:
        """Whether this plugin's word that a tool only reads is taken."""
        return self.trust_read_only is True or (
            not isinstance(self.trust_read_only, bool) and plugin in self.trust_read_only
        )


class Settings(Section):
    """All settings: `config.toml`, with a project's lower limits and choice of model in place."""

    default_model: ModelName | None = None
    """The model that is asked when none is named."""
    time_zone: TimeZone | None = None
    """When a day and a month begin, for limits and analyses; left out, the system's own."""
    providers: dict[str, ProviderSettings] = Field(default_factory=dict)
    prices: dict[ModelName, PriceSettings] = Field(default_factory=dict)
    limits: Limits = Limits()
    sizes: Sizes = Sizes()
    retention: Retention = Retention()
    variables: VariableSettings = VariableSettings()
    plugins: PluginSettings = PluginSettings()

    _warnings: tuple[str, ...] = PrivateAttr(default=())

    @field_validator("providers", mode="before")
    @classmethod
    def _known_by_name(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {name: _with_usual(name, entry) for name, entry in value.items()}

    @field_validator("prices", mode="before")
    @classmethod
    def _one_entry_a_model(cls, value: Any) -> Any:
        return _once_each(value)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was ignored or looks like a mistake, one sentence each."""
        return self._warnings

    @property
    def provider_names(self) -> tuple[str, ...]:
        """All providers that can be named: the configured ones first, then the built-in ones."""
        return tuple(dict.fromkeys([*self.providers, *KNOWN]))

    def provider(self, name: str) -> ProviderSettings:
        """A provider's settings: as configured, else as built in.

        Raises:
            ConfigError: There is no provider of that name.
        """
        if name in self.providers:
            return self.providers[name]
        if name in KNOWN:
            return ProviderSettings(kind=KNOWN[name].kind, base_url=KNOWN[name].base_url)
        near = nearest(name, self.provider_names)
        raise ConfigError(
            f"There is no provider named {name!r}.",
            fix=f"Did you mean {near!r}?" if near else f"Add [providers.{name}] with its base_url to config.toml.",
        )

    def priced_as(self, name: str) -> str:
        """The built-in provider whose prices the models of this one have: that at whose address it is asked.

        A second account (`[providers.work]` of kind `openai`) pays what the maker asks; a provider at an
        address of its own is its own.
        """
        entry = self.providers.get(name)
        if entry is None or name in KNOWN:
            return name
        usual = KNOWN.get(entry.kind)
        address = (entry.base_url or (usual.base_url if usual else "")).rstrip("/")
        for known, it in KNOWN.items():
            if known != DEMO and (it.kind, it.base_url) == (entry.kind, address):
                return known
        return name


def _with_usual(name: str, entry: Any) -> Any:
    if not PROVIDER_NAME.fullmatch(name):
        raise wrong(
            "is not a name for a provider",
            fix="Use small letters, digits, - and _; it stands before the slash in provider/model.",
            key=name,
        )
    if not isinstance(entry, dict):
        return entry
    if name in KNOWN:
        usual: dict[str, Any] = {"kind": KNOWN[name].kind}
        if entry.get("kind", KNOWN[name].kind) == KNOWN[name].kind:
            usual["base_url"] = KNOWN[name].base_url
        return usual | entry
    return {"kind": "openai-compatible"} | entry


def _once_each(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    seen: dict[tuple[str, str], str] = {}
    for name in value:
        try:
            model = parse_model(name)
        except ConfigError as error:
            raise wrong("does not name a model", fix=error.fix, key=name) from None
        if model in seen:
            raise wrong(f"names the same model as {seen[model]!r}", fix="Keep one of the two.", key=name)
        seen[model] = name
    return value
