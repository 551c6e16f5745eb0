"""What the `${VAR}`s of a definition hold: looked for in the environment, then in the key storage.

A secret that is no provider's key is kept with `valechat keys set NAME`. Each use of one is recorded as
that of a key is.
"""

from __future__ import annotations

from valechat.keys import KeyRing
from valechat.plugins.config import Definition, resolved, variable_names
from valechat.plugins.secrets import sounds_secret

__all__ = ["resolve", "variables"]


async def variables(definition: Definition, keys: KeyRing) -> dict[str, str]:
    """The values of the variables a definition refers to; those that have none are left out.

    The key storage is asked only for what the environment does not have. Use it on the loop that the
    keys are used on.

    Args:
        definition: As it is in the file.
        keys: The user's keys.

    Raises:
        KeyStorageError: A secret was stored, but its keychain or file is locked, absent or damaged.
    """
    found = {}
    for name in variable_names(definition):
        value = keys.environ.get(name)
        if value is None or sounds_secret(name):
            key = await keys.secret(name, purpose=f"plugin {definition.id}")
            value = key.reveal() if key is not None else value
        if value:
            found[name] = value
    return found


async def resolve(definition: Definition, keys: KeyRing) -> Definition:
    """The definition with its variables replaced. Secret from here on; never saved.

    Raises:
        UnresolvedVariable: A variable has neither value nor default; names it.
        InvalidPlugin: What the variables hold makes the definition invalid.
        KeyStorageError: A secret was stored, but cannot be read.
    """
    return resolved(definition, (await variables(definition, keys)).get)
