"""Pieces: what an agent of another package says while it is asked, in words that are the same for all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias

from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of text, or of a thought."""

    text: str
    is_thought: bool = False


@dataclass(frozen=True, slots=True)
class Called:
    """A tool is called."""

    call_id: str
    tool: str
    arguments: Any


@dataclass(frozen=True, slots=True)
class Came:
    """A call of a tool is over."""

    call_id: str
    result: Any
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Used:
    """A model was asked: tokens as counts, cost in US dollars; None for a name or a price that nobody told."""

    model: str | None = None
    requests: int = 1
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer, and the messages that led to it as dicts, where they are known."""

    content: Any
    messages: list[Any] | None = None


Piece: TypeAlias = Text | Called | Came | Used | Answer


class Dialect(Protocol):
    """How the agents of one package are asked."""

    foreign: Any
    #: What it is called there, None for one without a name.
    name: str | None
    #: What is known to change from call to call and is no part of the key, None where there is nothing.
    left_out: str | None

    def parts(self) -> Mapping[str, Any]:
        """Return what its answers depend on, for a key; raise Uncacheable where that cannot be told."""

    def told(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what its answers depend on of the options of a call."""

    def ask(self, message: Any, options: Mapping[str, Any], *, streaming: bool, who: str) -> AsyncGenerator[Piece]:
        """Ask it, on the running loop; `who` names it in errors."""

    def copy(self) -> Self:
        """Return it for another instance of a workflow."""


class Foreign(Protocol):
    """An agent of another package, and how it is called here."""

    name: str | None

    @property
    def dialect(self) -> Dialect:
        """How it is asked."""

    @property
    def label(self) -> str:
        """How errors name it."""


def plain(value: Any) -> Any:
    """Return what a tool was given or gave as JSON has it: what JSON has not becomes its text.

    >>> plain({"at": 1, "by": len})
    {'at': 1, 'by': '<built-in function len>'}
    """
    return to_jsonable_python(value, fallback=str)
