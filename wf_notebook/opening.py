"""The user's run(), wrapped: each call of it from outside opens a run."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def opening(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap the user's run() or arun(): called inside its own run (`super().run()`) it is just itself."""
    signature = inspect.signature(method)

    @functools.wraps(method)
    def opened(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._here() is not None:
            return method(self, *args, **kwargs)
        return self._open(method, signature, args, kwargs)

    opened.opens_run = True  # type: ignore[attr-defined]
    return opened
