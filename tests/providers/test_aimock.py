"""Against a server that somebody else wrote: aimock, from npm, on loopback."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.providers.contract import ask, collect
from valechat.accumulate import Answer
from valechat.errors import ProviderError, RateLimited, StreamBroken, Unreachable
from valechat.messages import Message, ToolResultPart
from valechat.providers._setup import Factory, Setup
from valechat.providers.anthropic import create as create_anthropic
from valechat.providers.base import Chunk, Options, Provider, Request, ToolSpec
from valechat.providers.openai_responses import create as create_responses
from valechat.usage import Usage

FOLDER = Path(__file__).parents[1] / "aimock"
INSTALL_SECONDS = 120
ADD = ToolSpec(
    "add",
    "Adds",
    {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, "required": ["a", "b"]},
)

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def program() -> Path:
    """The program, installed from npm."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("npm and node are needed to install aimock, a server that others wrote")
    found = FOLDER / "node_modules/@copilotkit/aimock/dist/cli.js"
    if not found.exists():
        try:
            subprocess.run(
                [npm, "ci", "--ignore-scripts"], cwd=FOLDER, check=True, capture_output=True, timeout=INSTALL_SECONDS
            )
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            # Without the network, or a registry, there is nothing to test against.
            pytest.skip(f"npm could not install aimock: {error}")
    return found


@pytest.fixture(scope="module")
def server(program: Path) -> Iterator[str]:
    """Its address."""
    command = ["node", str(program), "--port", "0", "--fixtures", str(FOLDER / "fixtures.json"), "--chunk-size", "5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            lines = iter(process.stdout.readline, "")
            yield next(match[1] for line in lines if (match := re.search(r"listening on (http://\S+)", line)))
        finally:
            process.terminate()


async def key() -> str:
    return "mock"


WIRES = [
    pytest.param(create_anthropic, "claude-sonnet-4-5", id="anthropic.messages"),
    pytest.param(create_responses, "gpt-5-mini", id="openai.responses"),
]


def adapter(create: Factory, server: str) -> Provider:
    return create(Setup("lab", f"{server}/v1", key=key))


def whole(chunks: list[Chunk]) -> Answer:
    answer = Answer()
    for chunk in chunks:
        answer.add(chunk)
    return answer


@pytest.mark.parametrize(("create", "model"), WIRES)
async def test_a_round_of_parallel_tools_goes_through(server: str, create: Factory, model: str) -> None:
    provider = adapter(create, server)
    talk = [Message.user("Please add")]
    first = whole(await collect(provider, Request(model, talk, tools=[ADD])))
    assert first.message.text == "I add – é 日本."
    assert [call.arguments.replace(" ", "") for call in first.message.tool_calls] == ['{"a":1,"b":2}', '{"a":3,"b":4}']
    assert first.stop is not None
    assert first.stop.reason == "tool_calls"
    results = tuple(ToolResultPart(call.id, call.name, "3") for call in first.message.tool_calls)
    talk += [first.message, Message("tool", results)]
    second = whole(await collect(provider, Request(model, talk, tools=[ADD])))
    assert second.message.text == "The sum is 3."
    assert second.stop is not None
    assert second.stop.reason == "end"


@pytest.mark.parametrize(("create", "model"), WIRES)
async def test_reasoning_is_apart_from_the_answer_and_usage_is_read(server: str, create: Factory, model: str) -> None:
    provider = adapter(create, server)
    request = Request(model, [Message.user("Please think")], options=Options(reasoning_effort="high"))
    answer = whole(await collect(provider, request))
    assert answer.message.text == "Forty-two."
    assert answer.message.thinking == "Six times seven – 日本."
    usage = Usage.from_wire(provider.wire, answer.usage_raw)
    assert (usage.input_tokens, usage.output_tokens) == (12, 34)


@pytest.mark.parametrize(("create", "model"), WIRES)
async def test_what_it_thought_can_be_sent_back(server: str, create: Factory, model: str) -> None:
    provider = adapter(create, server)
    talk = [Message.user("Please think")]
    first = whole(await collect(provider, Request(model, talk)))
    again = whole(await collect(provider, Request(model, [*talk, first.message, Message.user("Please think again")])))
    assert again.message.text == "Forty-two."


@pytest.mark.parametrize(("create", "model"), WIRES)
async def test_a_rate_limit_is_told_with_its_wait(server: str, create: Factory, model: str) -> None:
    request = Request(model, [Message.user("hurry")])
    with pytest.raises(RateLimited, match="Slow down") as caught:
        await collect(adapter(create, server), request)
    assert caught.value.retry_after == 7


@pytest.mark.parametrize(("create", "model"), WIRES)
async def test_an_answer_it_cuts_is_broken(server: str, create: Factory, model: str) -> None:
    with pytest.raises((StreamBroken, Unreachable)):
        await collect(adapter(create, server), Request(model, [Message.user("cut")]))


@pytest.mark.parametrize(("create", "model"), WIRES)
async def test_its_models_are_listed(server: str, create: Factory, model: str) -> None:
    assert await adapter(create, server).models()


@pytest.mark.parametrize(("create", "model"), WIRES)
async def test_a_question_nobody_scripted_is_refused(server: str, create: Factory, model: str) -> None:
    answer = Answer()
    with pytest.raises(ProviderError, match="lab refused"):
        await ask(adapter(create, server), model, into=answer)
    assert not answer.started
