"""One call of an agent as later ones are told of it: its messages, or their text until somebody needs them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_ai.messages import ModelMessage


class Turn:
    """The messages of one call; pydantic-ai is loaded only for those that are sent."""

    __slots__ = ("_messages", "_text")

    def __init__(self, messages: Sequence[ModelMessage] | None = None, *, text: str | None = None) -> None:
        self._messages, self._text = messages, text

    @property
    def messages(self) -> Sequence[ModelMessage]:
        """The messages as pydantic-ai has them."""
        if self._messages is None:
            from pydantic_ai.messages import ModelMessagesTypeAdapter

            self._messages = ModelMessagesTypeAdapter.validate_json(self._text or "[]")
        return self._messages

    @property
    def text(self) -> str:
        """The messages as JSON."""
        if self._text is None:
            from pydantic_ai.messages import ModelMessagesTypeAdapter

            self._text = ModelMessagesTypeAdapter.dump_json(list(self._messages or ())).decode()
        return self._text

    @property
    def plain(self) -> Any:
        """The messages as lists and dicts."""
        return json.loads(self.text)
