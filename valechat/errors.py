"""The errors ValeChat raises, in one tree.

    ValeChatError
    ├── ConfigError              a setting, a file or an argument is wrong
    │   ├── UnknownModel         no provider has a model of that name
    │   ├── MissingKey           the provider needs an API key and none was found
    │   └── InvalidPlugin        an entry of mcp_plugins.json cannot be used
    │       ├── DuplicateId      another entry has that id already
    │       ├── InvalidCommand   there is no such program
    │       ├── InvalidUrl       the address cannot or must not be used
    │       ├── UnresolvedVariable  a `${VAR}` that is not set anywhere
    │       └── SchemaInvalid    a field is missing, misspelt or of the wrong kind
    ├── KeyStorageError          the keychain is locked, absent or refused
    ├── ProviderError            a model server did not answer as hoped
    │   ├── Unreachable          no connection: server down, name unknown, refused
    │   ├── TimedOut             connected, but silent for longer than the timeout
    │   ├── StreamBroken         the answer broke off or could not be read
    │   ├── AuthenticationFailed the key was refused (401, 403)
    │   ├── ModelNotFound        the server does not have that model (404)
    │   ├── RequestRejected      the server refused the request itself (400, 413, 422)
    │   ├── RateLimited          too many requests or no credit left (429)
    │   ├── ServerFailed         the server failed or is overloaded (5xx, 529)
    │   └── CircuitOpen          not tried: the provider failed too often just now
    ├── LimitReached             a spending or rate limit leaves no room for the request
    ├── ConfirmationRequired     the request may cost more than `confirm_above`
    ├── TooLarge                 a message, file or tool input exceeds its size limit
    ├── ToolFailed               a tool raised, timed out or was refused
    ├── PluginError              an MCP server could not be started or used
    │   └── SignInNeeded         only the user can let it in: a sign-in was declined or nobody was there
    └── LedgerError              the ledger cannot be used as it is
        ├── LedgerTooNew         written by a newer ValeChat
        ├── LedgerDamaged        the file is not a readable ledger
        └── LedgerUnwritable     read-only folder, disk full

Every error carries `message` (what happened) and `fix` (what to do next). Neither ever
contains a key.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

__all__ = [
    "AuthenticationFailed",
    "CircuitOpen",
    "ConfigError",
    "ConfirmationRequired",
    "DuplicateId",
    "InvalidCommand",
    "InvalidPlugin",
    "InvalidUrl",
    "KeyStorageError",
    "LedgerDamaged",
    "LedgerError",
    "LedgerTooNew",
    "LedgerUnwritable",
    "LimitReached",
    "MissingKey",
    "ModelNotFound",
    "PluginError",
    "ProviderError",
    "RateLimited",
    "RequestRejected",
    "SchemaInvalid",
    "ServerFailed",
    "SignInNeeded",
    "StreamBroken",
    "TimedOut",
    "TooLarge",
    "ToolFailed",
    "UnknownModel",
    "Unreachable",
    "UnresolvedVariable",
    "ValeChatError",
]


class ValeChatError(Exception):
    """Base of all errors ValeChat raises on purpose.

    Args:
        message: What happened, in one sentence.
        fix: What the user can do about it; empty when there is nothing to do.
    """

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message} {self.fix}".rstrip()

    @property
    def kind(self) -> str:
        """The class name, as the panel and the ledger show it."""
        return type(self).__name__


class ConfigError(ValeChatError):
    """A setting, a file or an argument is wrong."""


class UnknownModel(ConfigError):
    """No provider has a model of that name, or several have it."""


class MissingKey(ConfigError):
    """The provider needs an API key and none was found.

    `provider` names the provider, so that a front end can offer its key dialog.
    """

    def __init__(self, message: str, *, provider: str, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.provider = provider


class InvalidPlugin(ConfigError):
    """An entry of `mcp_plugins.json` cannot be used as it stands; the others can.

    Attributes:
        plugin: The entry's id; empty where it has none.
        line: The line of the file it is about, from 1; None where there is no file or it is not known.
    """

    def __init__(self, message: str, *, plugin: str = "", line: int | None = None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.plugin = plugin
        self.line = line


class DuplicateId(InvalidPlugin):
    """Another entry of the file has that id already."""


class InvalidCommand(InvalidPlugin):
    """The command is empty, or there is no such program."""


class InvalidUrl(InvalidPlugin):
    """The address is none, or it would send what is said in the clear."""


class UnresolvedVariable(InvalidPlugin):
    """A `${VAR}` of the entry is set neither in the environment nor in the key storage.

    `variable` names the first that is missing, so that a front end can ask for it.
    """

    def __init__(
        self, message: str, *, variable: str, plugin: str = "", line: int | None = None, fix: str = ""
    ) -> None:
        super().__init__(message, plugin=plugin, line=line, fix=fix)
        self.variable = variable


class SchemaInvalid(InvalidPlugin):
    """A field of the entry is missing, misspelt or of the wrong kind."""


class KeyStorageError(ValeChatError):
    """The key storage is locked, absent or refused."""


class ProviderError(ValeChatError):
    """A model server did not answer as hoped.

    Attributes:
        provider: Name of the provider, as in `provider/model`.
        status: HTTP status, or None when no response arrived.
        retry_after: Seconds the server asked to wait, or None.
        should_retry: What the server's `x-should-retry` header said, or None.
    """

    def __init__(
        self,
        message: str,
        *,
        provider: str,
        status: int | None = None,
        retry_after: float | None = None,
        should_retry: bool | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(message, fix=fix)
        self.provider = provider
        self.status = status
        self.retry_after = retry_after
        self.should_retry = should_retry


class Unreachable(ProviderError):
    """No connection could be made, or it was cut before an answer began.

    `connected` says that there was one, so that the request may have arrived.
    """

    connected = False


class TimedOut(ProviderError):
    """The server was silent for longer than the timeout."""


class StreamBroken(ProviderError):
    """The answer broke off, or a part of it could not be read."""


class AuthenticationFailed(ProviderError):
    """The server refused the key (401, 403)."""


class ModelNotFound(ProviderError):
    """The server does not have that model (404)."""


class RequestRejected(ProviderError):
    """The server refused the request itself (400, 413, 422)."""


class RateLimited(ProviderError):
    """Too many requests, or no credit left (429)."""


class ServerFailed(ProviderError):
    """The server failed or is overloaded (5xx, 529, an error inside the stream)."""


class CircuitOpen(ProviderError):
    """Not tried, because the provider failed too often just now."""


class LimitReached(ValeChatError):
    """A spending or rate limit leaves no room for the request.

    Amounts are USD for spending limits, requests or tokens for rate limits.

    Attributes:
        limit: Name of the limit, e.g. `daily` or `model:openai/gpt-5:monthly`.
        amount: The limit itself.
        used: Spent in the current period.
        held: Held by requests that are under way, in any kernel.
        resets_at: When the period ends; None for a limit that does not reset.
    """

    def __init__(
        self,
        message: str,
        *,
        limit: str,
        amount: Decimal,
        used: Decimal,
        held: Decimal,
        resets_at: datetime | None = None,
        fix: str = "",
    ) -> None:
        super().__init__(message, fix=fix)
        self.limit = limit
        self.amount = amount
        self.used = used
        self.held = held
        self.resets_at = resets_at


class ConfirmationRequired(ValeChatError):
    """The request may cost more than `confirm_above`, or has no known price under a limit.

    `worst_case` is USD, or None when no price is known.
    """

    def __init__(self, message: str, *, worst_case: Decimal | None, fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.worst_case = worst_case


class TooLarge(ValeChatError):
    """A message, file or tool input exceeds its size limit."""


class ToolFailed(ValeChatError):
    """A tool raised, timed out or was refused."""


class PluginError(ValeChatError):
    """An MCP server could not be started or used."""


class SignInNeeded(PluginError):
    """Only the user can let it in: a sign-in was declined, ran out of time, or nobody was there to ask.

    Trying again by itself does not help.
    """


class LedgerError(ValeChatError):
    """The ledger cannot be used as it is."""


class LedgerTooNew(LedgerError):
    """The ledger was written by a newer ValeChat."""


class LedgerDamaged(LedgerError):
    """The file is not a readable ledger."""


class LedgerUnwritable(LedgerError):
    """The ledger cannot be written: read-only folder or full disk."""
