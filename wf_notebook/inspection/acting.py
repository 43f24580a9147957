"""What an inspector does beside looking: compare, go back, branch off, and change a value; each is a version of its own."""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..encoding import redacted
from ..errors import BadArguments, UnknownPath
from ..kept import packed
from ..keys import stored_key
from ..transaction import stored_id
from .changing import END, Edit, ValueChanged, at, box, edited, packed_at, saved, shown, step_to
from .comparing import Comparisons
from .selecting import written
from .written import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from ..diffs import Diff
    from ..session import Session
    from .comparing import Comparison
    from .loaded import Loaded
    from .place import Place, Step

    #: A session, and one of its versions; None is the newest.
    Side = tuple[str, int | None]

#: So many edits of a session can be undone one after the other.
UNDONE = 100


class Acting:
    """The part of an inspector that compares and changes."""

    storage: Any

    def __init__(self) -> None:
        self.comparisons = Comparisons()
        self._edits: dict[str, list[Edit]] = {}
        self._around: list[Callable[[str], AbstractContextManager[Any]]] = []

    @property
    def place(self) -> Place:
        """Where it is."""
        raise NotImplementedError

    def go(self, **changes: Any) -> Place:
        """Look at something else."""
        raise NotImplementedError

    def find(self, session_id: str) -> Session:
        """Return a session as it is stored."""
        raise NotImplementedError

    def loaded(self, session_id: str | None = None, version: int | None = None) -> Loaded:
        """Return the state of a session at a version."""
        raise NotImplementedError

    # -- compared ----------------------------------------------------------------------------------------------------------

    @property
    def diff(self) -> Diff:
        """What differs between the version that is looked at and what it is compared with: by default the one before it."""
        before, after = self.sides()
        return self.find(before[0]).diff(before[1], after[1], other=self.find(after[0]))

    def compare(self, before: Side | int, after: Side | int | None = None) -> Diff:
        """Compare two versions of the session that is looked at, or of others: each a number, or a session and a number.

        Every view shows that, too.

        >>> from wf_notebook.inspection import inspector
        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:"); session = storage.session("demo")
        >>> session.state["n"] = 1; session.save(); session.state["n"] = 2; session.save()
        >>> inspector(storage, session="demo").compare(1, 2)
        demo:1 → demo:2
        ~ session_state["n"] = 1 → 2
        """
        here = self.place.session
        other = (here, before) if isinstance(before, int) else before
        one = (here, after) if isinstance(after, int) or after is None else after
        newest = self.find(one[0]).newest()
        self.go(session=one[0], version=None if one[1] == newest else one[1], other=tuple(other), view="history")
        return self.diff

    def sides(self, one: Side | None = None, other: Side | None = None) -> tuple[tuple[str, int], tuple[str, int]]:
        """Return what is compared, first what was before; left out, it is what is looked at."""
        if one is None:
            one, other = (self.place.session, self.place.version), self.place.other
        after = one[0], self.find(one[0]).newest() if one[1] is None else one[1]
        if other is None:
            return (after[0], max(after[1] - 1, 0)), after
        return (other[0], self.find(other[0]).newest() if other[1] is None else other[1]), after

    def comparison(self, one: Side | None = None, other: Side | None = None) -> Comparison:
        """Return the same as a page is shown it: of very many differences the first."""
        before, after = self.sides(one, other)
        return self.comparisons.between(self.loaded(*before), self.loaded(*after))

    # -- gone back ---------------------------------------------------------------------------------------------------------

    def on_change(self, around: Callable[[str], AbstractContextManager[Any]]) -> Callable[[], None]:
        """Do something around each change of a session, of which `around` is told the id; return what ends that."""
        self._around.append(around)
        return lambda: self._around.remove(around) if around in self._around else None

    @contextmanager
    def changing(self, session_id: str) -> Iterator[Session]:
        """Around a change of a session: give it."""
        with ExitStack() as stack:
            for around in self._around:
                stack.enter_context(around(session_id))
            yield self.find(session_id)

    def restore(self, version: int | None = None, *, session: str | None = None) -> int:
        """Go back to the version that is looked at, or to another one; it becomes a new version, whose number is returned."""
        session_id, wanted = session or self.place.session, self.place.version if version is None else version
        if wanted is None:
            raise BadArguments("the newest version is looked at already; say to which one to go back: inspector.restore(3)")
        with self.changing(session_id) as here:
            state = here.kept_at(wanted).kept
            now = saved(here, lambda _, __: state, {})
        self.go(version=None)
        return now

    def fork(self, new_id: str, *, session: str | None = None, version: int | None = None) -> Session:
        """Begin a new session with the state that is looked at, and look at that; return it. Raises SessionExists."""
        of, at = (self.place.session, self.place.version) if session is None else (session, version)
        with self.changing(of) as here:
            new = here.fork(new_id, at=at)
        self.go(session=new_id, version=None, path=(), other=None)
        return new

    def free_id(self, session_id: str) -> str:
        """Return an id for a fork that no session has: `demo-2`."""
        base = re.sub(r"-\d+$", "", session_id)
        number = 2

        def find(tx: Any) -> str:
            nonlocal number
            while tx.head(stored_id(f"{base}-{number}"), 0).about is not None:
                number += 1
            return f"{base}-{number}"

        found: str = self.storage.transact(find, write=False)
        return found

    # -- changed -----------------------------------------------------------------------------------------------------------

    def put(self, path: Any, value: Any) -> int:
        """Set a value in the newest version of the session, or add one; return the version that this makes. `undo` undoes it.

        Args:
            path: The keys that lead there, as a tuple, or as a text: "posts.0.title", 'session_state["posts"][0]'.
            value: Whatever the state can keep.

        Raises:
            SessionConflict: It was changed elsewhere since the version that is looked at; nothing is written.
            UnsavableValue: It cannot be kept.

        >>> from wf_notebook.inspection import inspector
        >>> from wf_notebook.storage import open_storage
        >>> storage = open_storage("memory:"); session = storage.session("demo")
        >>> session.state["posts"] = [{"title": "a"}]; session.save()
        >>> demo = inspector(storage, session="demo")
        >>> demo.put("posts.0.title", "b"), demo.undo(), demo.find("demo").at(2), demo.find("demo").at(3)
        (2, 3, {'posts': [{'title': 'b'}]}, {'posts': [{'title': 'a'}]})
        """
        loaded = self.loaded()
        steps, blobs = steps_to(path, loaded), dict[str, bytes]()
        tree = redacted(encoded(value, shown(steps), blobs.__setitem__))
        edit = Edit(steps, packed_at(loaded.kept, steps), packed(tree), blobs=blobs)
        with self._saying_where():
            return self.apply(loaded.session.session_id, edit)

    def remove(self, path: Any) -> int:
        """Remove a value from the newest version of the session; return the version that this makes. `undo` undoes it."""
        loaded = self.loaded()
        steps = steps_to(path, loaded)
        before = packed_at(loaded.kept, steps)
        if before is None:
            raise UnknownPath(f"there is no {shown(steps)} in version {loaded.version} of {loaded.session.session_id!r}")
        with self._saying_where():
            return self.apply(loaded.session.session_id, Edit(steps, before, None))

    @contextmanager
    def _saying_where(self) -> Iterator[None]:
        """Around a change: where it was made of an older version, what stands against it may be no news."""
        try:
            yield
        except ValueChanged as error:
            if (version := self.place.version) is not None:
                error.args = (f"{error}; version {version} is looked at, and inspector.version = None looks at the newest",)
            raise

    def undo(self) -> int:
        """Undo the last change of a value that was made here, and then the one before it; return the version that this makes."""
        return self.undone(self.place.session)

    def undone(self, session_id: str, *, over: bytes | None = None, is_over: bool = False) -> int:
        """Undo the last change of a session; with `is_over`, also where the value is something else by now, which is `over`."""
        edits = self._edits.get(session_id)
        if not edits:
            raise BadArguments(f"nothing was changed here in session {session_id!r} that could be undone")
        back = edits[-1].back()
        version, _ = self._applied(session_id, replace(back, before=over) if is_over else back)
        edits.pop()
        return version

    def last_edit(self, session_id: str) -> Edit | None:
        """Return the change that would be undone next."""
        return next(reversed(self._edits.get(session_id, [])), None)

    def forget_edit(self, session_id: str) -> None:
        """Leave the last change as it is: it is not undone any more."""
        if self._edits.get(session_id):
            self._edits[session_id].pop()

    def apply(self, session_id: str, edit: Edit) -> int:
        """Change a value, so that it can be undone; return the version that it made, or the newest if nothing differs."""
        version, done = self._applied(session_id, edit)
        if done.before != done.after:
            self._edits.setdefault(session_id, []).append(done)
            del self._edits[session_id][:-UNDONE]
        return version

    def _applied(self, session_id: str, edit: Edit) -> tuple[int, Edit]:
        done = edit

        def make(kept: Any, blob: Any) -> Any:
            nonlocal done
            state, done = edited(kept, edit, blob)
            return state

        with self.changing(session_id) as session:
            version = saved(session, make, edit.blobs)
        return version, done


def steps_to(path: Any, loaded: Loaded) -> tuple[Step, ...]:
    """Return a path of Python's as steps in the tree, of which the last may lead to something that is not there yet.

    Raises UnknownPath for one that leads nowhere.
    """
    first, *keys = _keys(path, loaded)
    steps: list[Step] = [stored_key(first)]
    tree = loaded.tree(str(steps[0])) if steps[0] in loaded.kept else None
    for left, key in zip(range(len(keys) - 1, -1, -1), keys, strict=True):
        step, inside = step_to(tree, key), box(tree)
        if left:
            tree = at(tree, (step,))
        elif isinstance(inside, list) and step == len(inside):
            step = END
        steps.append(step)
    return tuple(steps)


def _keys(path: Any, loaded: Loaded) -> tuple[Any, ...]:
    """Return the keys of a path: a tuple of them, or a text."""
    if isinstance(path, (tuple, list)) and path:
        return tuple(path)
    if not isinstance(path, str):
        return (path,)
    if path.startswith("session_state["):
        keys = written(path)
        if keys is None:
            raise UnknownPath(f"{path!r} is no path; write it as a tuple of keys: ('posts', 0)")
        return tuple(keys)
    parts = path.split(".")
    for end in range(len(parts), 1, -1):  # a key may have a dot in it
        if stored_key(".".join(parts[:end])) in loaded.kept:
            return (".".join(parts[:end]), *parts[end:])
    return tuple(parts)
