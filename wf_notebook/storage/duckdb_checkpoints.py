"""When a WAL is worth folding into its file: as soon as replaying it has cost more than a checkpoint does."""

from __future__ import annotations

import math

#: What a checkpoint is thought to cost before one was made, in seconds.
GUESS = 0.01
#: What keeping others out counts where there are others, in times: one of their saves waits for it, which must be rare.
DEAR = 3


class Checkpoints:
    """What is known of the cost of a file's WAL: whoever attaches the file replays it. A checkpoint keeps others out for `stay`.

    >>> checkpoints = Checkpoints()
    >>> checkpoints.attached(0.001); checkpoints.attached(0.013); checkpoints.are_due(stay=0.1)
    True
    >>> checkpoints.others_wrote(folded=False); checkpoints.are_due(stay=0.1)
    False
    """

    def __init__(self) -> None:
        self.cost = GUESS
        self._bare = math.inf  # seconds that attaching takes at least
        self._replayed = 0.0  # seconds spent on replaying since the last checkpoint
        self._in_company = False

    def are_due(self, *, stay: float) -> bool:
        """Return whether replaying has cost more by now."""
        return self._replayed > self.cost + (DEAR * stay if self._in_company else 0)

    def attached(self, took: float) -> None:
        """The file was attached in so many seconds."""
        self._bare = min(self._bare, took)
        self._replayed += took - self._bare

    def others_wrote(self, *, folded: bool) -> None:
        """Another process wrote to the file; `folded` says that it made a checkpoint."""
        self._in_company = True
        if folded:
            self._replayed = 0.0

    def made(self, cost: float) -> None:
        """A checkpoint was made in so many seconds."""
        self.cost, self._replayed, self._in_company = cost, 0.0, False
