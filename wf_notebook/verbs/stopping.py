"""`stop`: a run that goes on is asked to end, in this process or in one of its own; of any other it says where to stop it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..alone import ask_to_end, is_alone, is_here, owner
from ..errors import BadArguments
from .following import meant

if TYPE_CHECKING:
    from ..ipynb.going import Going
    from .asked import Asked


def stop(asked: Asked) -> None:
    """End a run of this process, a run that has a process of its own, or a sweep; of another one say where that is done."""
    from ..swept import is_sweep  # which is large

    run_id, going = meant(asked, "stop")
    one = next((each for each in going if each.run.run_id == run_id), None)
    if one is None:
        status = asked.storage().run(run_id).status
        more = ", as its process is gone; %wf status tells what goes on with it" if status == "lost" else ""
        raise BadArguments(f"run {run_id[:8]} is over: it is {status}{more}")
    if one.here is not None:
        one.here.context.cancel.cancel()
    else:
        _end_elsewhere(one, going)
    if is_sweep(one.run):
        asked.say(f"sweep {run_id[:8]} is asked to end; what is done is kept, and the same again goes on: %wf show {run_id[:8]}")
        return
    asked.say(f"run {run_id[:8]} of session {one.run.session_id!r} is asked to end; what it said is kept: %wf show {run_id[:8]}")


def _end_elsewhere(one: Going, going: list[Going]) -> None:
    """Ask the process in which a run goes on to end; raises BadArguments where that is not surely one of its own."""
    named, there = f"run {one.run.run_id[:8]}", f"%wf stop {one.run.run_id[:8]}"
    if not is_here(one.at):
        raise BadArguments(f"{named} goes on elsewhere, as {one.process}; on that machine {there} may end it")
    if (whose := owner(one.at)) is not None:
        raise BadArguments(f"{named} goes on in a process of user {whose!r}, {one.process}, who alone can stop it")
    if not is_alone(one.at):
        raise BadArguments(f"{named} goes on in another process, {one.process}: stop it there, or end that process as a whole")
    first = min((each.run for each in going if each.at == one.at), key=lambda run: run.started_at)
    if first.run_id != one.run.run_id:
        outer = first.run_id[:8]
        raise BadArguments(f"{named} goes on inside of run {outer}: %wf stop {outer} ends both")
    if not ask_to_end(one.at):
        raise BadArguments(f"{named} has just ended; %wf show {one.run.run_id[:8]} shows how")
