"""What a server made with the official SDK can ask, offer and say, on the oldest and the newest protocol."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import mcp_types as types
import pytest
import pytest_asyncio

from tests.plugins.capable import PIXEL
from tests.plugins.managing import Managed, managed
from tests.plugins.support import MARKER
from valechat import asking
from valechat.asking import Asker, Confirmation, Decision, Filled, Form, Visit
from valechat.errors import PluginError, ToolFailed
from valechat.messages import Message, TextPart
from valechat.paths import Paths
from valechat.plugins.base import Content
from valechat.plugins.resources import Prompt, PromptArgument

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.slow]

SERVER = str(Path(__file__).with_name("capable.py"))
MODERN = "2026-07-28"


class Person:
    """A user who answers, after a while."""

    def __init__(self, filled: Filled | None = None, *, comes_back: str | None = None, after: float = 0) -> None:
        self.filled = filled or Filled("accept", {"name": "Ada", "age": 36})
        self.comes_back = comes_back
        self.after = after
        self.forms: list[Form] = []
        self.pages: list[Visit] = []

    async def approve(self, question: object) -> Decision:
        raise AssertionError(question)

    async def fill(self, form: Form) -> Filled:
        self.forms.append(form)
        await asyncio.sleep(self.after)
        return self.filled

    async def visit(self, page: Visit) -> str | None:
        self.pages.append(page)
        return self.comes_back

    async def confirm(self, question: Confirmation) -> bool:
        raise AssertionError(question)


async def sample(plugin: str, params: types.CreateMessageRequestParams, asker: Asker) -> types.CreateMessageResult:
    """A model that repeats."""
    content = params.messages[0].content
    assert isinstance(content, types.TextContent)
    return types.CreateMessageResult(
        role="assistant", content=types.TextContent(text=content.text.upper()), model="parrot", stop_reason="endTurn"
    )


@pytest.fixture(scope="module", params=["legacy", MODERN])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def plugins(protocol: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Managed]:
    folder = tmp_path_factory.mktemp("home")
    async with managed(sample=sample, paths=Paths(folder, folder, folder)) as found:
        info = await found.manager.add(
            {
                "id": "c",
                "command": sys.executable,
                "args": [SERVER],
                "protocol": protocol,
                "roots": [str(folder)],
                "env": {MARKER: found.marker},
            }
        )
        assert info.state == "running", info
        yield found


async def test_the_version_and_what_the_server_says_of_itself(plugins: Managed, protocol: str) -> None:
    info = plugins.manager.status("c")
    assert info.protocol == (MODERN if protocol == MODERN else "2025-11-25")
    assert (info.server, info.instructions) == ("capable 7", "Ask me anything.")
    assert {"tools", "resources", "prompts", "completions"} <= info.capabilities


async def test_content_of_every_kind(plugins: Managed) -> None:
    answer = await plugins.manager.call_tool("c", "everything")
    assert answer.content == (
        Content("text", text="text"),
        Content("image", data=PIXEL, media_type="image/png"),
        Content("audio", data=b"RIFF", media_type="audio/wav"),
        Content("resource", text="a note", uri="note://a", media_type="text/plain"),
        Content("resource", data=b"\0\1", uri="blob://b"),
        Content("link", text="a link", uri="https://example.com/c", name="c"),
    )


async def test_a_structured_answer(plugins: Managed) -> None:
    answer = await plugins.manager.call_tool("c", "add", {"a": 2, "b": 3})
    assert answer.structured == {"result": 5}
    (tool,) = [tool for tool in plugins.manager.tools() if tool.name == "add"]
    assert tool.output_schema is not None
    assert tool.output_schema["type"] == "object"


async def test_resources_and_what_they_hold(plugins: Managed) -> None:
    resources = await plugins.manager.resources("c")
    assert {(found.uri, found.media_type) for found in resources} == {
        ("note://first", "text/plain"),
        ("file:///pixel.png", "image/png"),
    }
    assert await plugins.manager.read_resource("c", "note://first") == (
        Content("resource", text="hello", uri="note://first", media_type="text/plain"),
    )
    (pixel,) = await plugins.manager.read_resource("c", "file:///pixel.png")
    assert pixel.data == PIXEL


async def test_a_template_has_variables(plugins: Managed) -> None:
    (template,) = await plugins.manager.templates("c")
    assert template.uri == "note://{name}/{page}"
    assert template.variables == ("name", "page")
    (content,) = await plugins.manager.read_resource("c", "note://Ada/3")
    assert content.text == "Ada, page 3"


async def test_a_resource_that_there_is_none_of(plugins: Managed) -> None:
    with pytest.raises(PluginError, match=r"c refused reading note://nowhere"):
        await plugins.manager.read_resource("c", "note://nowhere")


async def test_prompts_and_what_they_give(plugins: Managed) -> None:
    assert await plugins.manager.prompts("c") == [
        Prompt("c", "greet", "Greet someone", "", (PromptArgument("name", required=True), PromptArgument("tone")))
    ]
    messages = await plugins.manager.prompt("c", "greet", {"name": "Ada"})
    assert messages == [Message("user", (TextPart("Greet Ada in a kind tone."),))]


async def test_completion(plugins: Managed) -> None:
    assert await plugins.manager.complete("c", ("prompt", "greet"), "name", "A") == ["Ada", "Alan"]
    template = ("template", "note://{name}/{page}")
    assert await plugins.manager.complete("c", template, "name", "B", {"page": "3"}) == ["Barbara"]


async def test_a_tool_that_comes_is_noticed(plugins: Managed) -> None:
    await plugins.manager.call_tool("c", "grow")
    await plugins.until(lambda: any(tool.name == "grown" for tool in plugins.manager.tools()))
    assert (await plugins.manager.call_tool("c", "grown")).text == "grown"


async def test_the_servers_log_is_the_plugins_from_info_on(plugins: Managed) -> None:
    await plugins.manager.call_tool("c", "grumble")
    await plugins.until(lambda: any(line.source == "server" for line in plugins.manager.logs("c")))
    said = [(line.level, line.text) for line in plugins.manager.logs("c") if line.source == "server"]
    assert ("warning", "my back hurts") in said
    assert not any("too quiet" in text for _, text in said)


async def test_a_call_that_takes_too_long_is_cancelled(plugins: Managed) -> None:
    with pytest.raises(ToolFailed, match=r"longer than 0\.3 s"):
        await plugins.manager.call_tool("c", "wait", {"seconds": 60}, timeout=0.3)
    assert (await plugins.manager.call_tool("c", "add", {"a": 1, "b": 1})).structured == {"result": 2}


async def test_a_form_goes_to_who_made_the_call_and_its_time_stands_still(plugins: Managed) -> None:
    person = Person(after=3.5)
    answer = await plugins.manager.call_tool("c", "ask_name", asker=person, timeout=3)
    assert answer.text == "accept: Ada"
    (form,) = person.forms
    assert (form.plugin, form.message) == ("c", "Who are you?")
    assert set(form.schema["properties"]) == {"name", "age"}


async def test_a_form_may_be_declined(plugins: Managed) -> None:
    answer = await plugins.manager.call_tool("c", "ask_name", asker=Person(Filled("decline")))
    assert answer.text == "decline: "


async def test_without_an_asker_the_processs_own_is_asked(plugins: Managed, monkeypatch: pytest.MonkeyPatch) -> None:
    person = Person(Filled("accept", {"name": "Grace"}))
    monkeypatch.setattr(asking, "_current", person)
    assert (await plugins.manager.call_tool("c", "ask_name")).text == "accept: Grace"


async def test_a_page_to_visit_is_shown_and_coming_back_is_consent(plugins: Managed) -> None:
    person = Person(comes_back="")
    answer = await plugins.manager.call_tool("c", "ask_visit", asker=person)
    assert answer.text == "accept"
    assert [(page.plugin, page.message, page.url) for page in person.pages] == [
        ("c", "Please sign in.", "https://example.com/sign-in")
    ]


async def test_a_page_may_be_declined(plugins: Managed) -> None:
    assert (await plugins.manager.call_tool("c", "ask_visit", asker=Person())).text == "decline"


async def test_a_model_answers_for_the_server(plugins: Managed) -> None:
    answer = await plugins.manager.call_tool("c", "ask_model", {"question": "how are you"})
    assert answer.text == "parrot says HOW ARE YOU"


async def test_the_server_is_told_the_folders_of_its_definition(plugins: Managed) -> None:
    folder = plugins.manager.definition("c").roots[0]
    assert (await plugins.manager.call_tool("c", "ask_roots")).text == Path(folder).as_uri()


async def test_two_calls_at_once_keep_their_own_askers_apart_where_the_protocol_does(
    plugins: Managed, protocol: str
) -> None:
    people = [Person(Filled("accept", {"name": name}), after=0.2) for name in ("Ada", "Grace")]
    answers = await asyncio.gather(
        *(plugins.manager.call_tool("c", "ask_name", asker=person, timeout=30) for person in people)
    )
    assert {answer.text for answer in answers} == {"accept: Ada", "accept: Grace"} or protocol == "legacy"
    assert all(answer.text.startswith("accept: ") for answer in answers)
