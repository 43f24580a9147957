"""One thing that was looked at: how it is, in a line, and what to do where it is not as it should be."""

from __future__ import annotations

from typing import Literal, NamedTuple

State = Literal["ok", "warning", "failed"]

#: A state is a sign and a word, and a colour that only repeats it.
SIGNS: dict[State, tuple[str, str]] = {"ok": ("✓", "green"), "warning": ("⚠", "yellow"), "failed": ("✗", "red")}


class Check(NamedTuple):
    """What was looked at, how it is, and a remedy; `about` is what it belongs to."""

    about: str
    name: str
    state: State
    told: str
    remedy: str = ""

    def __str__(self) -> str:
        sign = SIGNS[self.state][0]
        word = "" if self.state == "ok" else f"{self.state}: "
        return f"{sign} {self.name:<16} {word}{self.told}" + (f"; {self.remedy}" if self.remedy else "")
