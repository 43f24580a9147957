"""The one table of verbs: what is written after each, what it does, and its options."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ..ipynb.options import Option, is_expression
from . import acting, leaving, looking, stopping

if TYPE_CHECKING:
    from collections.abc import Callable

    from .asked import Asked

SESSION = Option("session", "s", "ID", "the session that is meant; left out, that of the last run")
STORAGE = Option("storage", "", "URL", "where sessions are kept: duckdb:///runs.duckdb, sqlite:///runs.db")
HELP = Option("help", "h", None, "show this help")
OUT = Option("out", "o", "VAR", "put the table into the variable VAR")
AT = Option("at", "", "VERSION", "the version that it begins with; left out, the newest")
DELETED = Option("deleted", "", "ID", "bring this deleted session back")
ALL = Option("all", "", None, "each row of a sweep, and the branches too, in which conflicts kept what was not saved")
ALL_USERS = Option("all-users", "", None, "also those of other users, which are opened only if they are shared")
FORMAT = Option("format", "", "FORMAT", "ipynb, html, md or json; left out, what the name of the file says, else ipynb")
OUTPUT = Option("output", "o", "FILE", "the file; left out, it is named after the session")
FORCE = Option("force", "", None, "write over a file that is there")
TO = Option("to", "", "URL", "the store that they are copied into")
AS = Option("as", "", "ID", "what one session is called there; left out, as it is here")
EVERY = Option("all", "", None, "all sessions of the store")
WHOLE = Option("all", "", None, "the newest sessions and sweeps of the store, also those of other notebooks")
PURGE = Option("purge", "", None, "erase it: its versions, runs and events; this cannot be undone")


class Verb(NamedTuple):
    """One verb: what is written after it, what it does, and its options besides those that all have."""

    name: str
    usage: str
    help: str
    do: Callable[[Asked], Any]
    options: tuple[Option, ...] = (SESSION,)
    #: Reads off what is not split into words, but goes to the verb as it is written; the rest are options.
    raw: Callable[[str], tuple[str, str]] = lambda rest: ("", rest)


#: What ends a query's line as an option of ours, and would be a comment in SQL; and where in SQL no option can be.
_LONG = r"--(?:out(?:\s*=\s*|\s+)[^\W\d]\w*|storage(?:\s*=\s*|\s+)\S+|help)"
_OPTIONS = rf"{_LONG}(?:\s+(?:{_LONG}|-o(?:\s*=\s*|\s+)[^\W\d]\w*))*\s*"
_SQL = re.compile(rf"'[^']*'|\"[^\"]*\"|/\*.*?\*/|(?<=\s)(?P<options>{_OPTIONS})\Z|--[^\n]*", re.DOTALL)


def query(rest: str) -> tuple[str, str]:
    """Split a line into its query and the options after it.

    >>> query("SELECT '--out x' AS a --out rows"), query("SELECT 1 -- all of it")
    (("SELECT '--out x' AS a ", '--out rows'), ('SELECT 1 -- all of it', ''))
    """
    options = next((found.start() for found in _SQL.finditer(rest) if found["options"]), len(rest))
    return rest[:options], rest[options:]


def expression(rest: str) -> tuple[str, str]:
    """Split a line into its Python expression and what follows; nothing, where it begins with a word.

    >>> expression('{"n": 1} -s demo'), expression("mine -s demo")
    (('{"n": 1}', ' -s demo'), ('', 'mine -s demo'))
    """
    ends = [found.end() for found in re.finditer(r"[})]", rest)]
    end = next((end for end in reversed(ends) if is_expression(rest[:end])), 0)
    return rest[:end], rest[end:]


VERBS = (
    Verb("sessions", "[BEGINNING]", "the sessions that there are, the one that was used last first; of a sweep, blog/, its rows",
         looking.sessions, (ALL, ALL_USERS)),
    Verb("inspect", "[SESSION]", "look at a session, its past and its runs, and change it: an inspector", looking.inspect),
    Verb("state", "[PATH]", "what a session holds; of a PATH, such as posts or stats.posts, its rows", looking.state),
    Verb("runs", "", "the runs of a session, the newest first", looking.runs),
    Verb("events", "[RUN]", "what a run said; RUN is the beginning of its id, left out the last one", looking.events),
    Verb("show", "[RUN]", "the record of a run", looking.show),
    Verb("why", "[RUN]", "the steps of a run: which came from the store, and what changed for the others", looking.why),
    Verb("takes", "[STEP]", "what steps gave that were done again (--fresh), side by side", looking.takes),
    Verb("use", "TAKE [STEP]", "use a take: what depends on it runs again, and nothing else", acting.use),
    Verb("forget", "[STEP]", "forget what steps gave, so that they are done again", acting.forget),
    Verb("versions", "", "the versions of a session: every save is one", looking.versions),
    Verb("diff", "[A [B]]", "what differs: versions (1 3), sessions (one two:5), or a conflict or the last save", looking.diff),
    Verb("restore", "VERSION", "go back to a version; --deleted ID brings a session back", acting.restore, (SESSION, DELETED)),
    Verb("fork", "NEW", "begin session NEW with what this one holds, or held (--at 3)", acting.fork, (SESSION, AT)),
    Verb("rename", "NAME", "give a session a name that people read", acting.rename),
    Verb("delete", "[ID]", "hide a session; with --purge, erase it", acting.delete, (SESSION, PURGE)),
    Verb("share", "SESSION [USER]", "let another user, or everybody, see a session of yours and run in it", acting.share, ()),
    Verb("unshare", "SESSION [USER]", "take that back, for a user or for all", acting.unshare, ()),
    Verb("save", "", "save what could not be saved before, of all workflows", acting.save, ()),
    Verb("resolve", "CHOICE [KEY …]", "decide a conflict: mine, theirs or a dict of the values", acting.resolve, raw=expression),
    Verb("export", "[SESSION]", "write a session as a notebook that runs again, or as a page, Markdown or JSON", leaving.export,
         (SESSION, FORMAT, OUTPUT, FORCE)),
    Verb("copy", "SESSION …", "copy sessions whole into another store (--to URL); again, what is new of them", leaving.copy,
         (TO, AS, EVERY)),
    Verb("status", "[NOTEBOOK]", "what can be continued: how last runs stand, what a rerun has for nothing, what is unsaved",
         leaving.status, (WHOLE,)),
    Verb("stop", "[RUN]", "end a run that goes on, or a sweep: what is done is kept; left out, the only one", stopping.stop, ()),
    Verb("sql", "SELECT …", "ask the views by SQL; %%wf sql for several lines", looking.sql, (OUT,), raw=query),
)  # fmt: skip


def options_of(verb: Verb) -> tuple[Option, ...]:
    """Return all options of a verb."""
    return (*verb.options, STORAGE, HELP)
