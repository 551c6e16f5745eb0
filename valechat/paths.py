"""Where ValeChat keeps its files.

The platform's user folders, or one folder for everything where `VALECHAT_HOME` is set.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Paths", "user_paths"]


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders of one user. None of them need exist yet.

    Attributes:
        config: `config.toml`, `mcp_plugins.json`, an updated price table.
        data: the ledger and its published files.
        state: logs, and what one process keeps for itself (`database` files).
    """

    config: Path
    data: Path
    state: Path

    @property
    def config_file(self) -> Path:
        """The settings."""
        return self.config / "config.toml"

    @property
    def plugins_file(self) -> Path:
        """The MCP servers."""
        return self.config / "mcp_plugins.json"

    @property
    def approvals_file(self) -> Path:
        """What the user allows plugins to do."""
        return self.config / "approvals.json"

    @property
    def tool_results(self) -> Path:
        """Whole answers of tools, where models got a part."""
        return self.data / "tool_results"

    @property
    def ledger(self) -> Path:
        """The ledger's folder."""
        return self.data / "ledger"


def user_paths() -> Paths:
    """The current user's folders, by the environment as it is now."""
    home = os.environ.get("VALECHAT_HOME")
    if home:
        root = Path(home).expanduser().absolute()
        return Paths(config=root, data=root, state=root / "state")
    import platformdirs

    dirs = platformdirs.PlatformDirs("valechat", appauthor=False)
    return Paths(config=dirs.user_config_path, data=dirs.user_data_path, state=dirs.user_state_path)
