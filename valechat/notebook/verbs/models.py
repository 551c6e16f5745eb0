"""`list` and `use`: which models there are, and which one answers."""

from __future__ import annotations

from valechat.catalogue import Model
from valechat.config.names import nearest
from valechat.engine import engine
from valechat.errors import UnknownModel
from valechat.notebook import current
from valechat.notebook.outputs import show, small
from valechat.notebook.tabular import table
from valechat.notebook.verbs.registry import VERBS, Call, verb
from valechat.notebook.wording import rate
from valechat.services import services

__all__ = ["list_models", "use"]


@verb("list [PROVIDER|all]", "the models you can ask now, with prices", most=1, values=("provider",))
def list_models(call: Call) -> None:
    """Show the models that can be asked, or one provider's, usable or not."""
    wanted = call.word(0)
    models = engine().run(services().models(refresh=wanted == "all"))
    shown = [model for model in models if wanted in ("all", model.provider) or (not wanted and model.usable)]
    if not shown and wanted is not None:
        providers = ", ".join(sorted({model.provider for model in models}))
        raise VERBS["list"].misused(call.text, f"No provider called {wanted!r} has models now; {providers} do.")
    show(
        table(
            ["model", "input", "output", "context", ""],
            [
                [model.id, rate(model.input_price), rate(model.output_price), _window(model), _remark(model)]
                for model in shown
            ],
            right=(1, 2, 3),
        )
    )
    hidden = len({model.provider for model in models if not model.usable}) if not wanted else 0
    more = "`%valechat list all` shows also what a key would give." if hidden else ""
    show(small("Prices are USD per million tokens.", more))


@verb("use MODEL", "ask this model from now on", most=1, values=("model",))
def use(call: Call) -> None:
    """Choose the model of the notebook's conversation."""
    name = call.word(0)
    if name is None:
        raise VERBS["use"].misused("", "`%valechat use MODEL` needs a model; `%valechat list` shows them.")

    async def chosen() -> str:
        target = await services().target(name)
        listed = [model for model in await services().models() if model.provider == target.provider.name]
        known = {model.id for model in listed}
        if known and target.name not in known:
            near = nearest(target.name, known)
            raise UnknownModel(
                f"{target.provider.name} does not list a model named {target.model!r}.",
                fix=f"Did you mean {near}?" if near else f"`%valechat list {target.provider.name}` shows those it has.",
            )
        return target.name

    model = engine().run(chosen())
    current.notebook_chat().model = model
    current.notebook_chat().changed()
    show(small(f"{model} answers from now on."))


def _window(model: Model) -> str:
    return "" if model.context_tokens is None else f"{model.context_tokens:,}"


def _remark(model: Model) -> str:
    if model.demo:
        return "demonstration, demonstration money"
    return model.why or ("on this machine" if model.local else "")
