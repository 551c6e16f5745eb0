"""Whatever is in the files, only a ConfigError may come out."""

from __future__ import annotations

import contextlib
import datetime as dt
from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from valechat.config import Settings, load_settings
from valechat.config.load import parse_settings
from valechat.config.schema import Limits, ProviderSettings, Sizes
from valechat.errors import ConfigError
from valechat.paths import Paths

FILE = Path("config.toml")
KEYS = [
    *Settings.model_fields,
    *Limits.model_fields,
    *ProviderSettings.model_fields,
    *Sizes.model_fields,
    *["openai", "mylab", "openai/gpt-5", "openai:gpt-5", "[key]", "", "input", "output", "total", "cost_per_minute"],
]
leaves = (
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.datetimes()
    | st.dates()
    | st.times()
    | st.sampled_from(
        ["5.00", "50 KB", "1e5", "http://x", "https://[", "http://x:y", "${A}", "a/b", "Europe", "/", "\0"]
    )
)
keys = st.sampled_from(KEYS) | st.text(max_size=10)
trees = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4), max_leaves=20
)
documents = st.dictionaries(keys, trees, max_size=5)
quietly = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@given(st.text())
@example("[limits]\nx = 9999-99-99")
@quietly
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigError):
        parse_settings(text, FILE)


@given(documents)
@example({"default_model": [], "[key]": []})
@example({"time_zone": dt.time(1)})
@quietly
def test_any_toml_is_read_or_refused(document: dict[str, Any]) -> None:
    try:
        text = tomlkit.dumps(document)
    except (ValueError, TypeError):  # tomlkit cannot write some mixtures that TOML can express
        return
    with contextlib.suppress(ConfigError):
        parse_settings(text, FILE)


@given(mine=st.binary(max_size=200), theirs=st.binary(max_size=200))
@quietly
def test_any_bytes_in_both_files_are_read_or_refused(paths: Paths, tmp_path: Path, mine: bytes, theirs: bytes) -> None:
    paths.config_file.write_bytes(mine)
    (tmp_path / ".valechat.toml").write_bytes(theirs)
    with contextlib.suppress(ConfigError):
        load_settings(paths, project=tmp_path)
