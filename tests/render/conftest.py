"""What tests of rendering share: the record of a run."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from wf_notebook.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture
def run() -> Callable[..., Run]:
    """Return a way to make the record of a run."""

    def make(**fields: Any) -> Run:
        at = datetime(2026, 11, 23, 1, 45, tzinfo=UTC)
        given = {"run_id": "r1", "session_id": "demo", "workflow": "Blog", "status": "completed", "inputs": {}, "started_at": at}
        return Run(**{**given, "duration": 2.06, **fields})

    return make
