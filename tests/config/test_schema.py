from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal

import pytest

from valechat.config import KNOWN, PluginSettings, Settings
from valechat.errors import ConfigError

Load = Callable[[str], Settings]

DOCUMENTED = """
default_model = "openai/gpt-5-mini"
time_zone = "Europe/Amsterdam"

[providers.mylab]
kind = "openai-compatible"
base_url = "http://127.0.0.1:4412/v1/"
api = "chat"
api_key = "${MYLAB_KEY}"
timeout = 60
models = ["scripted"]
headers = { X-Team = "physics" }

[prices."mylab/scripted"]
input = "1.25"
output = "10"
cache_read = "0.125"
cache_write = "1.5625"

[limits]
daily = "5.00"
monthly = "50.00"
confirm_above = "0.50"
[limits.models."openai:gpt-5"]
monthly = "20.00"
[limits.conversation]
total = "1.00"
[limits.rate.openai]
requests_per_minute = 60
tokens_per_minute = 200000
cost_per_minute = "0.50"

[sizes]
message = "50 KiB"
upload = 5000

[retention]
conversations_days = 365
tool_results_days = 30
"""


def test_the_documented_file_is_read_as_it_is_meant(load: Load) -> None:
    settings = load(DOCUMENTED)
    assert settings.warnings == ()
    assert settings.default_model == "openai/gpt-5-mini"
    assert (settings.retention.conversations_days, settings.retention.tool_results_days) == (365, 30)
    mylab = settings.providers["mylab"]
    assert (mylab.kind, mylab.base_url, mylab.api, mylab.timeout) == (
        "openai-compatible",
        "http://127.0.0.1:4412/v1",
        "chat",
        60,
    )
    assert mylab.models == ("scripted",)
    assert mylab.resolved_headers({}) == {"X-Team": "physics"}
    price = settings.prices["mylab/scripted"]
    assert (price.input, price.cache_write) == (Decimal("1.25"), Decimal("1.5625"))
    limits = settings.limits
    assert (limits.daily, limits.monthly, limits.confirm_above) == (Decimal(5), Decimal(50), Decimal("0.5"))
    assert limits.models["openai/gpt-5"].monthly == Decimal(20)
    assert limits.conversation.total == Decimal(1)
    assert limits.rate["openai"].tokens_per_minute == 200_000
    assert (settings.sizes.message, settings.sizes.upload) == (51_200, 5000)


def test_without_a_file_nothing_is_limited_but_sizes_are(load: Load) -> None:
    settings = load("")
    assert settings.limits.daily is None
    sizes = settings.sizes
    assert (sizes.message, sizes.conversation, sizes.tool_input, sizes.tool_output, sizes.upload) == (
        50_000,
        1_000_000,
        10_000,
        30_000,
        10_000_000,
    )


def test_a_built_in_provider_needs_no_entry(load: Load) -> None:
    assert load("").provider("anthropic").base_url == "https://api.anthropic.com"


def test_an_entry_for_a_built_in_provider_keeps_what_it_does_not_say(load: Load) -> None:
    groq = load("[providers.groq]\ntimeout = 5\n").provider("groq")
    assert (groq.kind, groq.base_url, groq.timeout) == ("openai-compatible", KNOWN["groq"].base_url, 5)


def test_an_entry_that_changes_the_kind_does_not_keep_the_address(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"providers\.openai needs base_url"):
        load('[providers.openai]\nkind = "openai-compatible"\n')


def test_an_unknown_provider_is_answered_with_the_nearest_one(load: Load) -> None:
    with pytest.raises(ConfigError) as caught:
        load("").provider("antropic")
    assert caught.value.fix == "Did you mean 'anthropic'?"


def test_plain_http_to_another_machine_must_be_allowed_by_name(load: Load) -> None:
    entry = '[providers.lab]\nbase_url = "http://192.168.1.7:8000/v1"\n'
    with pytest.raises(ConfigError, match="plain http to another machine") as caught:
        load(entry)
    assert "line 2" in caught.value.message
    assert "allow_insecure = true" in caught.value.fix
    assert load(entry + "allow_insecure = true\n").provider("lab").allow_insecure


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:1234", "127.1.2.3"])
def test_plain_http_to_this_machine_is_fine(load: Load, host: str) -> None:
    assert load(f'[providers.lab]\nbase_url = "http://{host}/v1"\n').provider("lab").base_url == f"http://{host}/v1"


def test_a_key_in_the_file_is_hidden_and_warned_about(load: Load) -> None:
    settings = load('[providers.openai]\napi_key = "sk-canary"\nheaders = { Authorization = "Bearer canary" }\n')
    assert "canary" not in repr(settings) + str(settings) + settings.model_dump_json()
    assert "canary" not in settings.warnings[0]
    assert "valechat keys set openai" in settings.warnings[0]


def test_a_dummy_key_for_a_server_on_this_machine_is_not_warned_about(load: Load) -> None:
    assert load('[providers.lab]\nbase_url = "http://127.0.0.1:1/v1"\napi_key = "none"\n').warnings == ()


@pytest.mark.parametrize(
    "text",
    [
        'default_model = "opnai/gpt-5"',
        '[limits.models."opnai/gpt-5"]\ndaily = "1"',
        "[limits.rate.opnai]\nrequests_per_minute = 1",
        '[prices."opnai/gpt-5"]\ninput = "1"\noutput = "1"',
    ],
)
def test_a_setting_for_a_provider_that_does_not_exist_is_warned_about(load: Load, text: str) -> None:
    (warning,) = load(text).warnings
    assert "opnai, which does not exist. Did you mean openai?" in warning


def test_the_schema_describes_every_setting_and_writes_money_as_text() -> None:
    schema = Settings.model_json_schema()
    assert set(schema["properties"]) == set(Settings.model_fields)
    daily = schema["$defs"]["Limits"]["properties"]["daily"]
    assert {"type": "string"} in [{"type": option["type"]} for option in daily["anyOf"]]
    assert "Ask before a single request" in json.dumps(schema)


@pytest.mark.parametrize(
    ("table", "maker"),
    [
        ('kind = "openai"', "openai"),
        ('kind = "openai"\nbase_url = "https://api.openai.com/v1/"', "openai"),
        ('kind = "anthropic"', "anthropic"),
        ('kind = "openai-compatible"\nbase_url = "https://api.mistral.ai/v1"', "mistral"),
        ('kind = "openai"\nbase_url = "http://127.0.0.1:4412/v1"', "work"),
        ('kind = "openai-compatible"\nbase_url = "http://127.0.0.1"', "work"),
    ],
)
def test_a_second_account_is_priced_as_its_maker_and_a_server_of_ones_own_is_not(
    load: Load, table: str, maker: str
) -> None:
    assert load(f"[providers.work]\n{table}\n").priced_as("work") == maker


def test_a_built_in_provider_is_priced_under_its_own_name_wherever_it_is_asked(load: Load) -> None:
    settings = load('[providers.openai]\nbase_url = "http://127.0.0.1:4412/v1"\n')
    assert (settings.priced_as("openai"), settings.priced_as("mistral")) == ("openai", "mistral")


def test_a_servers_word_that_a_tool_only_reads_is_taken_where_the_user_says_so() -> None:
    assert not Settings().plugins.trusts_hints_of("git")
    assert PluginSettings(trust_read_only=True).trusts_hints_of("git")
    some = PluginSettings.model_validate({"trust_read_only": ["git"]})
    assert (some.trusts_hints_of("git"), some.trusts_hints_of("evil")) == (True, False)
