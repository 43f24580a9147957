"""What a step displays is heard, and displayed again when it is not done again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from IPython.core.displaypub import DisplayPublisher
from IPython.core.getipython import get_ipython

from ..cache.heard import LISTENING, SAYING, say
from .displayed import publish

if TYPE_CHECKING:
    from collections.abc import Callable


class _Tee(DisplayPublisher):
    """The display publisher of a shell, while steps are done: it goes on as before, and who listens hears it."""

    def __init__(self, publisher: Any) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # IPython has no types
        self.publisher = publisher

    def publish(self, data: Any, metadata: Any = None, *args: Any, **how: Any) -> None:
        """Publish, and tell who listens; what replaces an earlier display is that display's affair."""
        if not how.get("update"):
            say("display", {"data": dict(data), "metadata": dict(metadata or {})})
        self.publisher.publish(data, metadata, *args, **how)

    def clear_output(self, wait: bool = False) -> None:
        """Clear the output."""
        self.publisher.clear_output(wait)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["publisher"], name)


def _listen() -> Callable[[], object]:
    shell: Any = get_ipython()
    if shell is None:
        return lambda: None
    before = shell.display_pub
    tee = shell.display_pub = _Tee(before)

    def end() -> None:
        if shell.display_pub is tee:
            shell.display_pub = before

    return end


def _display(bundle: dict[str, Any]) -> None:
    publish(bundle["data"], bundle["metadata"])


def begin() -> None:
    """From now on what steps display is heard."""
    if _listen not in LISTENING:
        LISTENING.append(_listen)
        SAYING["display"] = _display


def end() -> None:
    """Hear it no more."""
    if _listen in LISTENING:
        LISTENING.remove(_listen)
        del SAYING["display"]
