"""The text of a run: its pieces joined, and of branches that speak at once what each one says without a break."""

from __future__ import annotations


class Spoken:
    """Takes pieces of text as they come, and gives the text that they are.

    >>> spoken = Spoken()
    >>> for piece, lane in [("Go. ", None), ("I see", "a"), ("But", "b"), (" good. ", "a"), (" no.", "b")]:
    ...     spoken.add(piece, lane)
    >>> str(spoken)
    'Go. I see good. But no.'
    """

    __slots__ = ("pieces",)

    def __init__(self) -> None:
        #: In order; where branches speak at once, a dict of the pieces of each. Whoever has no branch may append to it.
        self.pieces: list[str | dict[str, list[str]]] = []

    def __bool__(self) -> bool:
        return bool(self.pieces)

    def add(self, piece: str, lane: str | None) -> None:
        """Take the next piece, of a branch if `lane` names one."""
        if lane is None:
            self.pieces.append(piece)
            return
        lanes = self.pieces[-1] if self.pieces else None
        if not isinstance(lanes, dict):
            lanes = {}
            self.pieces.append(lanes)
        lanes.setdefault(lane, []).append(piece)

    def __str__(self) -> str:
        return "".join(
            each if isinstance(each, str) else "".join(map("".join, list(each.values()))) for each in list(self.pieces)
        )
