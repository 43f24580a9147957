"""Inputs as a shell has them, `topic=cheese n=3 rows=@rows.json text=-`: each becomes what run() says it takes."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from ..errors import BadArguments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

#: What is said of it in --help.
RULES = (
    "Inputs are written name=value. A value is a text where run() takes a str, and where it is no Python: topic=cheese, "
    "topic='two words'. Where run() says nothing else, it is Python or JSON if it reads so: n=3 deep=true tags='[\"a\"]'. "
    "@rows.json is what a file of JSON holds, @notes.txt its text (\\@ begins a text with @), and - is what comes on stdin."
)
#: What is written for what comes on stdin.
STDIN = "-"
#: What a bool is written as, besides Python's True and False.
_WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
_NOTHING = object()


def read_inputs(written: Sequence[str], hints: Mapping[str, Any]) -> dict[str, Any]:
    """Return inputs by name, each of the type that run() takes. Raises BadArguments for what is none.

    >>> read_inputs(["topic=cheese", "n=3", "deep=yes", "id=007"], {"topic": str, "deep": bool, "id": str})
    {'topic': 'cheese', 'n': 3, 'deep': True, 'id': '007'}
    """
    inputs: dict[str, Any] = {}
    for each in written:
        name, sign, text = each.partition("=")
        if not sign or not name.isidentifier():
            raise BadArguments(f"an input has a name: write name=value, not {each!r}")
        if name in inputs:
            raise BadArguments(f"input {name!r} is given twice; give it once")
        inputs[name] = _value(name, text, hints.get(name, Any))
    return inputs


def hints_of(run: Callable[..., Any]) -> dict[str, Any]:
    """Return what a function says its parameters are; nothing of those of which it says none, or what cannot be found."""
    try:
        return get_type_hints(run)
    except Exception:  # noqa: BLE001 - a name in an annotation that is only there for a type checker
        given = inspect.signature(run).parameters.values()
        plain = {"str": str, "int": int, "float": float, "bool": bool}
        return {
            each.name: plain.get(each.annotation.strip("'\""), Any) if isinstance(each.annotation, str) else each.annotation
            for each in given
            if each.annotation is not each.empty
        }


def _value(name: str, text: str, hint: Any) -> Any:
    if text == STDIN:
        return _of_type(name, _stdin().removesuffix("\n"), hint)  # as $(…) of a shell has it
    if text.startswith("@"):
        path = Path(text[1:]).expanduser()
        try:
            held = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise BadArguments(f"{name}={text}: {str(path)!r} cannot be read ({_why(error)}); name another file") from None
        if path.suffix != ".json":
            return _of_type(name, held, hint)
        try:
            return _made(name, json.loads(held), hint)
        except ValueError as error:
            raise BadArguments(f"{name}={text}: {str(path)!r} is no JSON ({error}); mend it") from None
    return _of_type(name, text.removeprefix("\\") if text.startswith("\\@") else text, hint)


def _stdin() -> str:
    _check_stdin()
    return sys.stdin.read()


def read_stdin() -> bytes:
    """Return what comes on stdin, whatever it is."""
    _check_stdin()
    return sys.stdin.buffer.read()


def _check_stdin() -> None:
    if sys.stdin is None or sys.stdin.isatty():
        raise BadArguments("- is what comes on stdin, and nothing comes: … | wf run …, or < FILE")


def _of_type(name: str, text: str, hint: Any) -> Any:
    """Return what a text stands for, where a value of that type is wanted."""
    wanted = _members(hint) - {NoneType}
    if wanted == {str}:
        return text
    if wanted == {bool} and text.lower() in _WORDS:
        return _WORDS[text.lower()]
    found = _literal(text)
    if found is _NOTHING:
        if hint is not Any and wanted <= {int, float, bool}:
            kinds = " or ".join(sorted(each.__name__ for each in wanted))
            raise BadArguments(f"{name}={text} is no {kinds}; write {name}={'true' if wanted == {bool} else '3'}")
        found = text
    return _made(name, found, hint, text)


def _made(name: str, value: Any, hint: Any, text: str | None = None) -> Any:
    """Return a value as the type that is wanted has it: pydantic makes what Python's own types do not say."""
    wanted = _members(hint)
    if hint is Any or type(value) in wanted or (float in wanted and type(value) is int):
        return float(value) if type(value) is int and float in wanted and int not in wanted else value
    from pydantic import PydanticSchemaGenerationError, PydanticUserError, TypeAdapter, ValidationError

    try:
        adapter: TypeAdapter[Any] = TypeAdapter(hint)
    except (PydanticSchemaGenerationError, PydanticUserError):
        return value
    tries = [value] if text is None or value is text else [value, text]
    failure: ValidationError | None = None
    for each in tries:
        try:
            return adapter.validate_python(each)
        except ValidationError as error:
            failure = failure or error
    assert failure is not None
    first = failure.errors()[0]
    where = ".".join(map(str, first["loc"]))
    said = f"{f'{where}: ' if where else ''}{first['msg'][:1].lower()}{first['msg'][1:]}"
    raise BadArguments(f"{name}={'…' if text is None else text} does not fit {_named(hint)}: {said}")


def _members(hint: Any) -> set[Any]:
    """Return the types that a hint names, each for itself."""
    if get_origin(hint) in {Union, UnionType}:
        return {member for each in get_args(hint) for member in _members(each)}
    if get_origin(hint) is Literal:
        return {Literal}
    return {hint}


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) else str(hint).replace("typing.", "")


def _literal(text: str) -> Any:
    """Return the Python or JSON value that a text reads as; a mark where it is neither."""
    for read in (ast.literal_eval, json.loads):
        try:
            return read(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return _NOTHING


def _why(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()
