"""A run said again, at the pace at which it was said: from the store, without a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..events import RunResponse
    from ..run import Run

#: Between two things that were said a replay waits as long as it took then, but no longer than this, in seconds.
LONGEST = 1.0
#: So many seconds it waits before each word of a text.
WORD = 0.01


def paced(run: Run) -> Iterator[tuple[float, RunResponse]]:
    """Yield what was said, word by word, each with the time to wait before it."""
    moments: Any = run.told.moments() if run.told is not None else ()
    before = run.started_at
    for at, response in moments:
        gap, before = min(LONGEST, max(0.0, (at - before).total_seconds())), at
        if not isinstance(response.content, str):
            yield gap, response
            continue
        words = response.content.split(" ")
        for number, word in enumerate(words):
            text = word if number == len(words) - 1 else f"{word} "
            yield (gap if number == 0 else WORD), response.stamped({"content": text})
