"""As much of what was said as a notebook can hold."""

from __future__ import annotations

import json
from typing import Any

from ..readable import Printed, as_text, glimpse, readable
from .said import Failure, Lane, Pictures, Reasoning, ToolCall


def capped(said: list[Any], most: int) -> tuple[list[Any], int]:
    """Return contents of so many characters at most, and how many more there are.

    >>> capped(["abc", Reasoning("de"), "f"], 4)
    (['abc', Reasoning(text='d')], 2)
    """
    room = _Room(most)
    return room.fill(said), room.left_out


class _Room:
    """What is left of the characters that there may be."""

    def __init__(self, most: int) -> None:
        self._left, self.left_out = most, 0

    def fill(self, said: list[Any]) -> list[Any]:
        """Return what there is room for."""
        return [kept for content in said if (kept := self._of(content)) is not None]

    def _of(self, content: Any) -> Any:
        if isinstance(content, Lane):
            return content._replace(contents=self.fill(content.contents))
        if isinstance(content, (Failure, Pictures)):
            return content
        if isinstance(content, (str, Reasoning)):
            text = str(as_text(content if isinstance(content, str) else content.text))  # half of a secret is not recognised
            kept = self._take(text)
            return (kept if isinstance(content, str) else Reasoning(kept)) if kept or not text else None
        if isinstance(content, ToolCall):
            return content._replace(arguments=self._value(content.arguments), result=self._value(content.result))
        return self._value(content, or_nothing=True) if _is_data(content) else content

    def _take(self, text: str) -> str:
        kept = text[: self._left]
        self._left -= len(kept)
        self.left_out += len(text) - len(kept)
        return kept

    def _value(self, value: Any, *, or_nothing: bool = False) -> Any:
        """Return a value if there is room for it, else its beginning, or nothing at all."""
        if value is None:
            return None
        tree = readable(value)
        size = len(json.dumps(tree, ensure_ascii=False))
        if size <= self._left:
            self._left -= size
            return tree
        self.left_out += size
        return None if or_nothing else glimpse(tree)


def _is_data(content: Any) -> bool:
    """Say whether a content is data, which may be large, and nothing that shows itself."""
    if isinstance(content, Printed):
        return False
    return isinstance(content, (dict, list, tuple, set, frozenset)) or hasattr(content, "model_dump")
