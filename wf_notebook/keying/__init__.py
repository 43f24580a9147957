"""keying: what a result depends on: code, values and files, as one key that can say its parts.

Code counts as it acts: comments, docstrings, layout and the annotations of functions without decorators do not. What a function
reaches by name counts with it, as far as it is the user's own: helpers and theirs, methods, base classes, closures, defaults,
decorators, classes of arguments, values of globals. Code that is installed, and Python's own, counts by its version.

A method counts by what it reads of `self`: attributes by their values at the time, other methods by their code, with theirs;
of `session_state` the values under constant keys, and of an object that says it by `_key_parts_()` what it is made of. A use of
`self` or of `session_state` that cannot be followed has no key, and `Uncacheable` says where it is. A module of the user's that a
function imports when it runs is imported for the key already.

What no key can see: what is looked up by a text that is known only when the step runs (`getattr(module, name)`,
`globals()[name]`, a registry in somebody else's package), the environment, the clock, chance, the network, and files that are not
declared. Such a step says `cache="off"`. Docstrings and annotations that code reads (`help(f)`, `typing.get_type_hints(f)`) do
not count, nor does the content of a secret (`SecretStr`).
"""

from __future__ import annotations

from .differing import Difference, difference
from .keyer import Keyer, code_digest, value_digest
from .part import CODE, Key, Part, Uncacheable

__all__ = ["CODE", "Difference", "Key", "Keyer", "Part", "Uncacheable", "code_digest", "difference", "value_digest"]
