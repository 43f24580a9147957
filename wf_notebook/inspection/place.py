"""What an inspector looks at: one frozen value, which a page and Python both can change, and which survives a reload."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from ..errors import BadArguments
from ..nearest import did_you_mean

#: A step from a value to one inside it, as its tree has it: the number of an item, or the text of a key. Only the tree is asked
#: by it; what people read is the key.
Step = int | str
View = Literal["state", "history", "runs", "sql"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an inspector is.

    `version` is None while the newest is followed; `other` is what the version is compared with, a session and a version.
    """

    session: str = ""
    version: int | None = None
    path: tuple[Step, ...] = ()
    view: View = "state"
    #: Of the list of sessions: the words that are looked for, and how it is sorted.
    filter: str = ""
    sort: str = "updated_at"
    descending: bool = True
    #: Whether the branches that conflicts left are listed, too.
    branches: bool = False
    #: The sessions that are selected.
    selected: tuple[str, ...] = ()
    other: tuple[str, int | None] | None = None
    run: str = ""
    query: str = ""

    def moved(self, changes: dict[str, Any]) -> Place:
        """Return the place after some fields changed, which come as JSON has them.

        >>> Place("demo").moved({"path": ["posts", 0]}).path
        ('posts', 0)
        """
        known = Place.__dataclass_fields__
        for name in changes:
            if name not in known:
                raise BadArguments(f"an inspector has no {name!r}{did_you_mean(name, known) or ''}")
        fields: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
        return replace(self, **fields)

    def told(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}
