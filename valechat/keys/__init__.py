"""API keys: found in the environment, the keychain or the encrypted key file; never shown.

`KeyRing.get` finds a provider's key, `store`, `delete` and `list` manage those that ValeChat keeps.
"""

from __future__ import annotations

from valechat.keys.index import Place, StoredKey
from valechat.keys.keychain import Keychain, KeychainState
from valechat.keys.ring import KeyRing, KeyRow
from valechat.keys.secret import Key
from valechat.keys.vault import Vault

__all__ = ["Key", "KeyRing", "KeyRow", "Keychain", "KeychainState", "Place", "StoredKey", "Vault"]
