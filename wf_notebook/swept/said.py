"""How far a sweep is, in words: what is done and failed, what that took, where it is kept and what goes on with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..addresses import portable
from ..readable import brief as one_line
from ..render import session_name
from ..render.status import STATUS, WARNS, standing
from ..sweep.progress import brief
from .afar import Afar

if TYPE_CHECKING:
    from ..sweep import Progress, Sweep


def far(progress: Progress) -> list[str]:
    """Return how many rows are done, and how many ended otherwise.

    >>> from wf_notebook.sweep import Progress
    >>> far(Progress(total=2000, done=52, hits=2, failed=1))
    ['52 of 2,000 rows', '1 failed']
    """
    return [*_far(progress).values()]


def _far(progress: Progress) -> dict[str, str]:
    of, number = ("", progress.done) if progress.total is None else (f" of {progress.total:,}", progress.total)
    said = {"rows": f"{progress.done:,}{of} row{'' if number == 1 else 's'}"}
    return said | {what: f"{number:,} {what}" for what in ("failed", "stopped") if (number := getattr(progress, what))}


def spent(progress: Progress) -> list[str]:
    """Return what came from the store, and what the others took.

    >>> from wf_notebook.sweep import Progress
    >>> spent(Progress(total=200, hits=2, tokens=1200, cost=0.02))
    ['2 from the store', '1,200 tokens', '$0.02']
    """
    return [*_spent(progress).values()]


def _spent(progress: Progress) -> dict[str, str]:
    said = {"hits": f"{progress.hits:,} from the store"} if progress.hits else {}
    said |= {"tokens": f"{progress.tokens:,} tokens"} if progress.tokens else {}
    return said | ({"cost": f"${progress.cost:.4g}"} if progress.cost else {})


def going(progress: Progress) -> list[str]:
    """Return what is said of a sweep that goes on, besides how long it has gone on.

    >>> from wf_notebook.sweep import Progress
    >>> going(Progress(total=200, done=52, hits=2, failed=1, running=8, seconds=5.0, left=14.7))
    ['52 of 200 rows', '1 failed', '2 from the store', '8 go on', '10 rows/s', '15 s left']
    >>> going(Progress(total=3, done=2, hits=2, elsewhere=1))
    ['2 of 3 rows', '2 from the store', '1 goes on in another sweep']
    >>> going(Progress(total=3, done=2, seconds=9.0, waits="a worker: none is there"))
    ['2 of 3 rows', '0.22 rows/s', 'waits for a worker: none is there']
    """
    return [*facts(progress).values()]


def facts(progress: Progress) -> dict[str, str]:
    """Return the same, each fact by its name."""
    said = _far(progress) | _spent(progress)
    said |= {"running": _go_on(progress.running)} if progress.running else {}
    said |= {"elsewhere": f"{_go_on(progress.elsewhere)} in another sweep"} if progress.elsewhere else {}
    said |= {"pace": f"{rate} rows/s"} if (rate := pace(progress)) else {}
    said |= {"left": f"{brief(progress.left)} left"} if progress.left is not None else {}
    return said | ({"waits": f"waits for {progress.waits}"} if progress.waits is not None else {})


def _go_on(number: int) -> str:
    return f"{number:,} {'goes' if number == 1 else 'go'} on"


def pace(progress: Progress) -> str:
    """Return how many rows were done in a second, of those that did not come from the store; nothing where that says nothing."""
    done = progress.over - progress.hits
    if not done or not progress.seconds:
        return ""
    rate = done / progress.seconds
    return f"{rate:,.0f}" if rate >= 10 else f"{rate:.2g}"  # noqa: PLR2004 - two digits


def stands(sweep: Sweep | Afar) -> str:
    """Return how a sweep stands, a sign and words, and why it ended before all rows were done."""
    progress = sweep.progress
    if sweep.status == "completed" and not progress.over:
        return f"{STATUS['completed'][0]} nothing to do: there are no rows"
    if sweep.status == "completed" and progress.failed:
        return f"{WARNS if progress.done else STATUS['failed'][0]} done, {failed_of(progress)}"
    return standing(sweep.status, sweep.reason)


def failed_of(progress: Progress) -> str:
    """Return how many rows failed.

    >>> from wf_notebook.sweep import Progress
    >>> failed_of(Progress(total=3, done=2, failed=1))
    '1 of 3 rows failed'
    """
    return f"{progress.failed:,} of {progress.over:,} {'row' if progress.over == 1 else 'rows'} failed"


def like(sweep: Sweep | Afar) -> str:
    """Return the status whose colour a sweep has: one that is done but for some rows has that of a warning."""
    progress, status = sweep.progress, sweep.status
    return ("failed" if not progress.done else "stopped") if status == "completed" and progress.failed else status


def ended(sweep: Sweep | Afar) -> list[str]:
    """Return how many rows of a sweep that is over are done, failed, were ended, and how many never began."""
    progress = sweep.progress
    if sweep.status == "completed" and (progress.failed or not progress.over):
        return []  # it is said how it stands
    never = 0 if progress.total is None else progress.total - progress.over
    return [*far(progress), *([f"{never:,} never began"] if never else [])]


def head(sweep: Sweep | Afar) -> str:
    """Return a sweep in a line: what ran, how it stands, how many rows are done and what that took."""
    progress = sweep.progress
    took = [f"{progress.seconds:.1f} s"] if sweep.status != "running" else []
    title = [one_line(sweep.workflow.name or ""), f"sweep {session_name(sweep.name)}"]
    told = going(progress) if sweep.status == "running" else [*ended(sweep), *spent(progress)]
    return " · ".join([*title, stands(sweep), *told, *took])


def where(sweep: Sweep | Afar) -> str:
    """Return where the rows are kept."""
    url = getattr(sweep.workflow.storage, "url", None)
    if url is None:
        return "the rows are in memory only: Workflow(storage=…) keeps them"
    if sweep.workflow.private:
        return "private: of what the rows were given and gave, nothing is kept"
    name = one_line(sweep.name)
    sessions = f"session {name}" if sweep.shares_a_session else f"the sessions {name}/…"
    return f"kept in {sessions} of {portable(url, Path())}"


def is_kept(sweep: Sweep | Afar) -> bool:
    """Say whether what came of the rows is in a store, so that it is not done again."""
    return getattr(sweep.workflow.storage, "url", None) is not None and not sweep.workflow.private


def foot(sweep: Sweep | Afar, again: str = "") -> str:
    """Return where the rows are kept, and what goes on with them; `again` is the line that does so."""
    progress, line = sweep.progress, f"{again} goes on" if again else "the same again goes on"
    rest = progress.stopped + progress.failed + (0 if progress.total is None else progress.total - progress.over)
    more = [f"{line} with what is not done"] if rest and is_kept(sweep) and sweep.status != "running" else []
    kept = [where(sweep)] if progress.over or rest else []
    rows = [] if isinstance(sweep, Afar) else [".df() has all rows as a dataframe"]
    return "; ".join([*kept, *more, *rows])


def stopped(sweep: Sweep, again: str = "the same again") -> str:
    """Return what is said of a sweep that was stopped; `again` is what goes on with it."""
    progress = sweep.progress
    of = "" if progress.total is None else f" of {progress.total:,}"
    kept, rest = (" and kept", f"; {again} goes on with the others") if is_kept(sweep) else ("", "")
    others = f" ({', '.join(said)})" if (said := ended(sweep)[1:]) else ""
    done = f"{progress.done:,}{of} rows are done{kept}{rest}"
    return f"{sweep.workflow.name} was stopped after {progress.seconds:.1f} s{others}: {done}"
