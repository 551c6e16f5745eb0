from __future__ import annotations

import re
import traceback
from collections.abc import Callable

import pytest

from valechat.config import Settings, load_settings
from valechat.errors import ConfigError
from valechat.paths import Paths

Load = Callable[[str], Settings]


@pytest.mark.parametrize(
    ("text", "line", "message", "fix"),
    [
        # an unknown key
        ('[limits]\ndayly = "5"', 2, "limits.dayly is not a setting", "Did you mean daily?"),
        ("[limts]", 1, "limts is not a setting", "Did you mean limits?"),
        (
            "\n[sizes]\nzzz = 1",
            3,
            "sizes.zzz is not a setting",
            "Known here: message, conversation, tool_input, tool_output, upload.",
        ),
        (
            '[limits.models."openai/gpt-5"]\ndaly = "1"',
            2,
            'limits.models."openai/gpt-5".daly is not a setting',
            "Did you mean daily?",
        ),
        # money
        ("[limits]\ndaily = 5.5", 2, "limits.daily is the inexact number 5.5", 'Write daily = "5.5".'),
        ('[limits]\n\nmonthly = "-5"', 3, "limits.monthly is below zero", ""),
        ('[limits]\ndaily = "5 euro"', 2, "limits.daily is not an amount of US dollars", 'Write daily = "5.00".'),
        ("[limits]\ndaily = nan", 2, "limits.daily is the inexact number nan", 'Write daily = "5.00".'),
        ('[limits]\ndaily = "NaN"', 2, "limits.daily is not an amount", 'Write daily = "5.00".'),
        ('[limits]\ndaily = "1e9999999"', 2, "limits.daily is not an amount", 'Write daily = "5.00".'),
        ("[limits]\ndaily = true", 2, "limits.daily is not an amount of money", 'Write daily = "5.00".'),
        ('[limits]\ndaily = "0.000000000000001"', 2, "limits.daily has more than 14 decimal places", ""),
        ('[limits]\ndaily = "1000000000000"', 2, "limits.daily is too large", ""),
        ('[prices."a/b"]\ninput = "1"', 1, 'prices."a/b" lacks output', "Add a line output = … to it."),
        # structure
        ("limits = 5", 1, "limits is not a table", "Write [limits] on a line of its own"),
        ("[limits.rate.openai]\nrequests_per_minute = 1.5", 2, "requests_per_minute is not a whole number", ""),
        ("[limits.rate.openai]\nrequests_per_minute = 0", 2, "should be greater than 0", ""),
        # models
        ('[limits.models.gpt-5]\ndaily = "1"', 1, "limits.models.gpt-5 does not name a model", "provider/model"),
        ('default_model = "gpt-5"', 1, "default_model is 'gpt-5', which does not name a model", "provider/model"),
        (
            '[prices."a/b"]\ninput="1"\noutput="1"\n[prices."a:b"]\ninput="1"\noutput="1"',
            4,
            "prices.\"a:b\" names the same model as 'a/b'",
            "Keep one of the two.",
        ),
        # the rest
        ("[sizes]\nmessage = true", 2, "sizes.message is not a size", 'Write message = "50 KB".'),
        ('[sizes]\nmessage = "5 zz"', 2, "sizes.message has an unknown unit", ""),
        ("[sizes]\nmessage = 0", 2, "sizes.message is not a size between", ""),
        ("[plugins]\ntrust_read_only = 3", 2, "neither true, false nor a list", 'Write trust_read_only = ["git"].'),
        ('[plugins]\ntrust_read_only = ["git", 3]', 2, "neither true, false nor a list", "Write"),
        ("[plugins]\nsampling_per_minute = 0", 2, "should be greater than 0", ""),
        ('time_zone = "Europe/Amsterdm"', 1, "which is not a time zone", 'Write time_zone = "Europe/Amsterdam".'),
        ('time_zone = "../etc/passwd"', 1, "which is not a time zone", ""),
        ('[providers.groq]\nkind = "groc"', 2, "'groc' is no kind of provider", "Use one of openai,"),
        ("[providers.My_Lab]", 1, "is not a name for a provider", "small letters"),
        ('[providers.lab]\nbase_url = "ftp://x"', 2, "is not an http or https address", "https://example.com/v1"),
        ('[providers.lab]\nbase_url = "https://u:p@x/"', 2, "has a user name or password", "api_key"),
        ('[providers.lab]\nbase_url = "https://x/?k=1"', 2, "more than scheme, host", "Leave out"),
        ('[providers.lab]\nbase_url = "https://x:99999"', 2, "is not an address", ""),
        ('[providers.openai]\ntimeout = "60"', 2, "providers.openai.timeout is not a number", ""),
        ('[providers.openai.headers]\n"X Y" = "1"', 2, "is not a name an HTTP header can have", ""),
        ('[providers.openai.headers]\nX = "a\\r\\nb"', 2, "cannot be sent in an HTTP header", "ASCII"),
    ],
)
def test_a_wrong_setting_is_named_with_its_line_and_what_to_write(
    load: Load, text: str, line: int, message: str, fix: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert re.search(rf"config\.toml, line {line}: ", caught.value.message)
    assert message in caught.value.message
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("a = 1\nb = sk-canary\n", "line 2, column 5", "invalid value"),
        ("a = [\n1,\n", "line 3", "not valid TOML"),
        ("[limits]\ndaily = '1'\ndaily = '2'\n", "line 3", "not valid TOML"),
        ("x = " + "[" * 5000, "config.toml", "nested too deeply"),
        ("x = " + "9" * 5000, "config.toml", "not valid TOML"),
    ],
)
def test_a_text_that_is_no_toml_is_named_with_its_place(load: Load, text: str, where: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    assert where in caught.value.message
    assert message in caught.value.message


def test_all_problems_are_named_at_once(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load('default_model = 5\n[limits]\ndayly = "5"\n[limits.models."openai/gpt-5"]\ndaily = 5.0\n')
    assert "line 1: default_model is not text" in caught.value.message
    assert 'Also wrong: line 3 (limits.dayly), line 5 (limits.models."openai/gpt-5".daily).' in caught.value.fix


@pytest.mark.parametrize(
    "text",
    [
        "[providers.openai]\napi_key = sk-canary",
        '[providers.openai]\napi_key = "sk-canary\\u0000"',
        '[providers.openai]\napi_key = ["sk-canary"]',
        '[providers.openai]\napikey = "sk-canary"',
        '[providers.openai]\napi_key = "sk-canary"\ntimeout = -1',
        '[providers.openai]\nheaders = "Bearer sk-canary"',
    ],
)
def test_no_error_shows_what_may_be_a_key(load: Load, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(text)
    shown = "".join(traceback.format_exception(caught.value))
    assert "canary" not in shown


def test_a_file_that_cannot_be_read_is_named(paths: Paths) -> None:
    paths.config_file.mkdir()
    with pytest.raises(ConfigError, match="cannot be read: Is a directory"):
        load_settings(paths)


def test_a_file_that_is_not_utf8_is_named(paths: Paths) -> None:
    paths.config_file.write_bytes(b'default_model = "\xff"')
    with pytest.raises(ConfigError, match="byte 17 is not UTF-8"):
        load_settings(paths)


def test_a_byte_order_mark_and_windows_line_ends_are_read(paths: Paths) -> None:
    paths.config_file.write_bytes(b'\xef\xbb\xbfdefault_model = "openai/gpt-5"\r\n[limits]\r\ndaily = "5"\r\n')
    assert load_settings(paths).default_model == "openai/gpt-5"
