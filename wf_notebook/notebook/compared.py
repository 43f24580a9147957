"""%wf again, one recorded call once more; and %wf compare, a workflow as it is now over recorded inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import BadArguments
from ..ipynb.line import read_line
from ..ipynb.options import Option
from ..ipynb.workflows import find
from ..verbs.asked import whole_number

if TYPE_CHECKING:
    from ..comparing import Again, Comparison
    from ..verbs.asked import Asked

LAST = Option("last", "", "N", "the inputs of the last N runs; left out, of the last 50")
OVER = Option("over", "", "DATA", "these inputs instead: a variable or expression, as of a dataframe, a list or a path")
MODEL = Option("model", "", "MODEL", "another model for all agents: its name, or a variable")
LIMIT = Option("limit", "", "N", "so many at once; 4 if left out")
SCORE = Option("score", "", "FUNCTION", "what says how good an answer is: a variable or expression; several in a dict")


def again(asked: Asked) -> Again:
    """Do a step of the last run once more, with what is written after its name."""
    read = read_line(asked.text)
    if read.name is None:
        raise BadArguments('write the name of a step, and what is different: %wf again writer instructions="Be brief."')
    others = read.inputs(asked.namespace)
    which = {name: others.pop(name) for name in ("nth", "kind") if name in others}
    session = read.options.session
    ran = [each for each in asked.workflows() if each.last_run is not None and session in {None, each.session_id}]
    if not ran:
        where = "" if session is None else f" in session {session!r}"
        raise BadArguments(
            f"no workflow of this notebook ran{where}; run one, or write storage.run(…).step({read.name!r}).again()"
        )
    run = ran[0].last_run
    assert run is not None
    done: Again = run.step(read.name, **which).again(**others)
    return done


def compare(asked: Asked) -> Comparison:
    """Compare a workflow as it is now with its recorded runs."""
    written = asked.word("the name of a workflow: %wf compare blog --last 50")
    _, name, workflow = find(asked.namespace, written)
    if workflow is None:
        raise BadArguments(f"{name!r} was not made yet; run it once: %workflow {name}")
    options = asked.options
    last, over, model, score, limit = (options.get(name) for name in ("last", "over", "model", "score", "limit"))
    compared: Comparison = workflow.compare(
        None if over is None else _value(over, "over", asked.namespace),
        last=None if last is None else whole_number(last, "write %wf compare NAME --last 50", kind="whole number"),
        model=None if model is None else asked.namespace.get(model, model),
        score=None if score is None else _value(score, "score", asked.namespace),
        **({} if limit is None else {"limit": whole_number(limit, "write %wf compare NAME --limit 8", kind="whole number")}),
    )
    return compared


def _value(source: Any, name: str, namespace: dict[str, Any]) -> Any:
    """Return what is meant by a variable or an expression."""
    if not isinstance(source, str):
        return source
    try:
        return eval(source, namespace)  # noqa: S307 - what the user wrote, in the user's own kernel
    except (SyntaxError, NameError) as error:
        raise BadArguments(f"--{name} {source} is no variable or expression here ({error}); define it first") from None
