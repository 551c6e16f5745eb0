"""Where other programs keep their MCP servers, on each system.

Sources: the programs' own documentation, read in November 2026: Claude Desktop and Claude Code
(code.claude.com/docs/en/mcp), VS Code (code.visualstudio.com/docs/copilot/reference/mcp-configuration),
Cursor (cursor.com/docs/mcp), Windsurf (docs.windsurf.com/windsurf/cascade/mcp), Jupyter AI
(jupyter-ai-persona-manager), Notebook Intelligence (its README), and the others'.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Candidate", "candidates"]

_CODE = ("Code", "Code - Insiders", "VSCodium")
_CLINE = Path("User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json")

_AT_HOME = (
    ("Claude Code", ".claude.json"),
    ("Cursor", ".cursor/mcp.json"),
    ("Windsurf", ".codeium/windsurf/mcp_config.json"),
    ("Gemini CLI", ".gemini/settings.json"),
    ("Copilot CLI", ".copilot/mcp-config.json"),
    ("Codex", ".codex/config.toml"),
    ("LM Studio", ".lmstudio/mcp.json"),
    ("Jupyter AI", ".jupyter/mcp_settings.json"),
    ("Jupyter MCP Manager", ".jupyter/mcp_servers.json"),
    ("Notebook Intelligence", ".jupyter/nbi/mcp.json"),
)

_IN_PROJECT = (
    ("Claude Code", ".mcp.json"),
    ("VS Code", ".vscode/mcp.json"),
    ("VS Code", ".vscode/settings.json"),
    ("Cursor", ".cursor/mcp.json"),
    ("Jupyter AI", ".jupyter/mcp_settings.json"),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that may hold servers.

    Attributes:
        program: Whose it is.
        path: Where it would be.
        folder: The project it belongs to; None for one that is the user's.
    """

    program: str
    path: Path
    folder: Path | None = None


def candidates(
    project: Path | None = None,
    *,
    home: Path | None = None,
    environ: Mapping[str, str] | None = None,
    platform: str = sys.platform,
) -> Iterator[Candidate]:
    """The files that may hold servers, the user's first, then the project's; none need exist.

    Args:
        project: The notebook's folder; the folders above it are looked through as well, up to the home folder.
        home: The user's home folder; None means the current user's.
        environ: The environment; None means the process's own.
        platform: As `sys.platform` names it.
    """
    user = home or Path.home()
    apps = _applications(user, os.environ if environ is None else environ, platform)
    yield Candidate("Claude Desktop", apps / "Claude" / "claude_desktop_config.json")
    for product in _CODE:
        name = "VS Code" if product == "Code" else product.replace("Code - ", "VS Code ")
        yield Candidate(name, apps / product / "User" / "mcp.json")
        yield Candidate(name, apps / product / "User" / "settings.json")
        yield Candidate("Cline", apps / product / _CLINE)
    yield Candidate("Zed", (apps if platform == "win32" else user / ".config") / "zed" / "settings.json")
    for program, path in _AT_HOME:
        yield Candidate(program, user / path)
    yield Candidate("Notebook Intelligence", Path(sys.prefix) / "share" / "jupyter" / "nbi" / "mcp.json")
    for folder in _upwards(project, user) if project is not None else ():
        for program, path in _IN_PROJECT:
            yield Candidate(program, folder / path, folder)


def _applications(home: Path, environ: Mapping[str, str], platform: str) -> Path:
    """The folder in which desktop programs keep their settings."""
    if platform == "darwin":
        return home / "Library" / "Application Support"
    if platform == "win32":
        return Path(environ.get("APPDATA") or home / "AppData" / "Roaming")
    return Path(environ.get("XDG_CONFIG_HOME") or home / ".config")


def _upwards(project: Path, home: Path) -> Iterator[Path]:
    """The project's folder and those above it, without the home folder, whose files are the user's."""
    for folder in (project.absolute(), *project.absolute().parents):
        if folder == home:
            return
        yield folder
