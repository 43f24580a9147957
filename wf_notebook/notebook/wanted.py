"""What a form asks for: each input of run() with its type, default, bounds and description."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

from ..ipynb.workflows import parameters, written

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..workflow import Workflow


class Blank:
    """Stands for what nobody filled in."""

    def __repr__(self) -> str:
        return "BLANK"


BLANK = Blank()
#: What an annotation may say of bounds: the names of annotated_types, which pydantic's Field uses too.
_BOUNDS = ("ge", "gt", "le", "lt", "multiple_of")


@dataclass(frozen=True)
class Wanted:
    """One input: `kind` is its type without Annotated and Optional, `Any` where nobody says; `default` may be BLANK."""

    name: str
    kind: Any = Any
    default: Any = BLANK
    required: bool = False
    optional: bool = False
    about: str = ""
    bounds: Mapping[str, Any] = field(default_factory=dict)

    def starts_as(self, *kinds: type) -> bool:
        """Say whether its default can be shown by a widget for these types: it is of them, or there is none."""
        return self.default is BLANK or (self.default is None and self.optional) or isinstance(self.default, kinds)


def wanted(cls: type[Workflow], given: Mapping[str, Any]) -> list[Wanted]:
    """Return the inputs of a class of workflows; `given` are values that take the place of defaults."""
    function = inspect.unwrap(written(cls))
    about = described(function.__doc__ or cls.__doc__ or "")
    return [
        wanted_of(
            each.name,
            _meant(each.annotation, function, cls) if each.annotation is not each.empty else BLANK,
            default=given.get(each.name, BLANK if each.default is each.empty else each.default),
            required=each.default is each.empty,
            about=about.get(each.name, ""),
        )
        for each in parameters(cls).values()
    ]


def wanted_of(
    name: str, annotation: Any, *, default: Any, required: bool, about: str = "", extras: tuple[Any, ...] = ()
) -> Wanted:
    """Return one input as its annotation says; `extras` are what stands beside the type in Annotated[…].

    >>> wanted_of("n", int | None, default=3, required=False)
    Wanted(name='n', kind=<class 'int'>, default=3, required=False, optional=True, about='', bounds={})
    """
    if annotation is BLANK:  # without an annotation: text, as in the line that runs it, or what the default is
        annotation = str if default is BLANK else Any if default is None else type(default)
    kind, optional, more = _unwrapped(annotation)
    optional = optional or default is None  # `topic: str = None`
    flat = [each for extra in [*extras, *more] for each in [extra, *getattr(extra, "metadata", ())]]
    bounds = {bound: value for each in flat for bound in _BOUNDS if (value := getattr(each, bound, None)) is not None}
    words = [text for each in flat if isinstance(text := getattr(each, "description", each), str)]
    return Wanted(name, kind, default, required, optional, (words or [about])[-1], bounds)


def _meant(annotation: Any, function: Callable[..., Any], cls: type) -> Any:
    """Return what an annotation means, which may be written as text: `from __future__ import annotations`."""
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, getattr(function, "__globals__", {}), dict(vars(cls)))  # noqa: S307 - the user's own annotation
    except Exception:  # noqa: BLE001 - a name that is only there for the type checker
        return Any


def _unwrapped(annotation: Any) -> tuple[Any, bool, list[Any]]:
    """Take Annotated, Optional, NewType and aliases off a type; return what is in them, and what was beside it."""
    optional, extras = False, []
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *beside = get_args(annotation)
            extras += beside
        elif get_origin(annotation) in {Union, UnionType} and NoneType in get_args(annotation):
            optional = True
            rest = [each for each in get_args(annotation) if each is not NoneType]
            annotation = Union[tuple(rest)]  # noqa: UP007 - of as many as there are
        elif (inner := getattr(annotation, "__supertype__", None) or getattr(annotation, "__value__", None)) is not None:
            annotation = inner
        else:
            return annotation, optional, extras


def described(doc: str) -> dict[str, str]:
    """Return what a docstring says of each argument, in Google's style.

    >>> described('''Write a post.
    ...
    ...     Args:
    ...         topic (str): What it is about,
    ...             in a few words.
    ...         n: How many.
    ...
    ...     Returns:
    ...         Text.
    ...     ''')
    {'topic': 'What it is about, in a few words.', 'n': 'How many.'}
    """
    found = re.search(
        r"^(?:Args|Arguments|Parameters|Inputs):[ ]*\n((?:[ ]+\S.*\n|[ ]*\n)+)", f"{inspect.cleandoc(doc)}\n", re.MULTILINE
    )
    about: dict[str, str] = {}
    name = ""
    for line in inspect.cleandoc(f"\n{found[1]}").splitlines() if found else []:
        if entry := re.match(r"\*{0,2}(\w+)\s*(?:\([^)]*\))?:\s*(.*)", line):
            name = entry[1]
            about[name] = entry[2]
        elif name:
            about[name] = f"{about[name]} {line.strip()}".strip()
    return about
