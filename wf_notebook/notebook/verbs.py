"""%wf VERB: the verbs that need a notebook beside those that need none, and how a line is read."""

from __future__ import annotations

import re
from typing import Any

from ..errors import BadArguments, UnknownVerb
from ..ipynb.options import Option, expanded, help_text, read_option, split_word
from ..nearest import did_you_mean
from ..verbs import table
from ..verbs.asked import Asked
from ..verbs.table import Verb, options_of
from . import attaching, compared, forms, planned

FIRST = Option("session", "s", "ID", "the session that it has at first; left out, the workflow's own")
#: After which verb of the table comes what only a notebook can do.
_HERE = {
    "why": Verb("plan", "NAME [inputs]", "what a run would do, before it is paid for", planned.plan, (), raw=planned.line),
    "plan": Verb("replay", "[RUN]", "play a run again as it was, from the store: no model is asked", planned.replay),
    "status": Verb(
        "attach",
        "[RUN]",
        "show a run live that goes on, also in another process, or that another page began",
        attaching.attach,
        (),
    ),
    "replay": Verb("again", "STEP [what is different]", "one call of the last run once more, with other instructions=, model=, …",
                   compared.again, (), raw=planned.line),
    "again": Verb("compare", "NAME", "a workflow as it is now over recorded inputs: what changes, and what that costs",
                  compared.compare, (compared.LAST, compared.OVER, compared.MODEL, compared.SCORE, compared.LIMIT)),
    "resolve": Verb("form", "NAME", "a form of a workflow's inputs, with Run and Stop", forms.form, (FIRST,)),
}  # fmt: skip


def _all() -> tuple[Verb, ...]:
    verbs: list[Verb] = []
    for verb in table.VERBS:
        verbs.append(verb)
        while verbs[-1].name in _HERE:
            verbs.append(_HERE[verbs[-1].name])
    return tuple(verbs)


VERBS = _all()


def overview() -> str:
    """Return what `%wf` prints: its verbs, a line for each."""
    rows = [(f"%wf {verb.name} {verb.usage}".rstrip(), verb.help) for verb in VERBS]
    width = max(len(left) for left, _ in rows)
    lines = "\n".join(f"  {left:<{width}}  {right}" for left, right in rows)
    more = "%wf VERB -h shows the options of a verb. What it gives is a value: t = %wf runs"
    return f"Sessions, their past and their runs:\n\n{lines}\n\n{more}"


def perform(line: str, cell: str | None, namespace: dict[str, Any]) -> Any:
    """Do what a line says; raises UnknownVerb, UnknownOption, BadArguments and what the verb raises."""
    name, _, rest = line.strip().partition(" ")
    if name in {"", "-h", "--help", "help"}:
        print(overview())
        return None
    verb = next((verb for verb in VERBS if verb.name == name), None)
    if verb is None:
        names = [verb.name for verb in VERBS]
        there = "; it is a command: !wf models" if name == "models" else f"; there are {', '.join(names)}"
        raise UnknownVerb(f"%wf has no verb {name!r}{did_you_mean(name, names) or there}")
    if cell is not None and verb.name != "sql":
        raise BadArguments(f"%%wf {name} is no cell; write %wf {name} on a line of its own")
    asked = read(verb, rest, cell, namespace)
    if asked.options.get("help"):
        print(f"%wf {verb.name} {verb.usage}\n\n{verb.help}\n\n{help_text(options_of(verb))}")
        return None
    return verb.do(asked)


def read(verb: Verb, rest: str, cell: str | None, namespace: dict[str, Any]) -> Asked:
    """Read what stands after a verb."""
    words: list[str] = []
    options: dict[str, Any] = {}
    text, rest = cell or "", rest.strip()
    while rest:
        if re.match(r"--?[^\W\d]", rest):
            option, rest = read_option(rest, options_of(verb))
            if twice := options.keys() & option.keys():
                raise BadArguments(f"--{twice.pop()} is given twice; give it once")
            options |= {
                field: expanded(f"--{field}", value, namespace) if isinstance(value, str) else value
                for field, value in option.items()
            }
        elif not words and (taken := verb.raw(rest))[0]:
            text, rest = "\n".join(filter(None, [taken[0], cell])), taken[1]
        else:
            word, rest = split_word(f"%wf {verb.name}", rest)
            words.append(expanded(f"%wf {verb.name}", word or "", namespace))
        rest = rest.lstrip()
    if (variable := options.get("out")) is not None and not variable.isidentifier():
        raise BadArguments(f"--out {variable!r} is no name for a variable; write --out VAR")
    return Asked(namespace, tuple(words), options, text.strip())
