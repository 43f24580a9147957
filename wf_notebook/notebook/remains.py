"""What a run leaves in the notebook: as much of its record as is wished for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from IPython.core.getipython import get_ipython

from ..ipynb.whereabouts import notebook_file
from ..render import Detail, print_record, record_bundle, record_metadata

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..run import Run
    from .views import View

#: What `%config WorkflowMagics.record` may be.
DETAILS = get_args(Detail)


def freeze(shown: View, run: Run, responses: Iterable[Any], state: Mapping[str, Any] | None = None) -> None:
    """Put the record of a run in the place of its live output."""
    said, detail = list(responses), wished()
    bundle = record_bundle(run, said, state=state, detail=detail)
    file = notebook_file(getattr(get_ipython(), "user_ns", {}))
    metadata = {"wf_notebook": record_metadata(run, file.parent if file is not None else None)} if bundle else {}
    shown.freeze(bundle, metadata, lambda: print_record(run, said, detail=detail))


def wished() -> Detail:
    """Return how much is to stay: what `%config WorkflowMagics.record` says, all where the extension is not loaded."""
    registry: Any = getattr(getattr(get_ipython(), "magics_manager", None), "registry", {})
    detail: Detail = getattr(registry.get("WorkflowMagics"), "record", "full")
    return detail
