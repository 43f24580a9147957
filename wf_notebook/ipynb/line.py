"""The line of a magic: `[NAME] [options] [inputs]`, read without running anything.

Inputs are Python, as in a call: `topic="LLMs in 2026", rows=df[df.score > 3], **params`, with or without the commas.
What is glued to its right neighbour only is no operator: `n=3 -s demo` is an option, `n=a - s` a difference.
"""

from __future__ import annotations

import ast
import io
import json
import keyword
import linecache
import re
import tokenize
from dataclasses import dataclass, field
from shlex import quote
from typing import TYPE_CHECKING, Any

from ..errors import BadArguments
from .options import JOINED, OPTIONS, Options, read_option

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType

#: What is no operator when it is glued to its right neighbour only: a mapping, or an option.
_NO_OPERATOR = re.compile(rf"\*\*\S|--[^\W\d]|(?:-[{''.join(option.short for option in OPTIONS)}]|{JOINED})(?=[\s=]|$)")

_LAYOUT = {tokenize.ERRORTOKEN, tokenize.NEWLINE, tokenize.NL, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
_LITERALS = {tokenize.NUMBER, tokenize.STRING, getattr(tokenize, "FSTRING_END", tokenize.STRING)}


@dataclass(frozen=True)
class Argument:
    """One input as it was written; without a name it is a mapping, `**source`."""

    name: str | None
    source: str

    def code(self) -> CodeType:
        """Return the input compiled; raises BadArguments for what is no Python."""
        try:
            source, filename = f"({self.source}\n)", f"<{self.name or '**'}=…>"
            # So that a traceback has something to show; an entry without a time is kept as it is.
            linecache.cache[filename] = len(source), None, [f"{self.source}\n"], filename
            return compile(source, filename, "eval")
        except (SyntaxError, ValueError):
            raise _no_python(self.name, self.source) from None

    def value(self, namespace: dict[str, Any]) -> Any:
        """Return the value of the input in the user's namespace; the user's own exceptions pass."""
        try:
            return eval(self.code(), namespace)  # noqa: S307 - what the user wrote, in the user's own kernel
        except NameError as error:
            here = error.__traceback__ and error.__traceback__.tb_next
            if here is None or here.tb_next is None:
                raise _no_python(self.name, self.source, error) from None
            raise


@dataclass(frozen=True)
class Line:
    """One line, read: the name of the workflow, the options and the inputs."""

    name: str | None = None
    options: Options = field(default_factory=Options)
    arguments: tuple[Argument, ...] = ()

    def inputs(self, namespace: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs by name, evaluated in the user's namespace.

        >>> read_line('blog topic=f"{n} cats" n=n **{"deep": True}').inputs({"n": 2})
        {'topic': '2 cats', 'n': 2, 'deep': True}
        """
        inputs: dict[str, Any] = {}
        for argument in self.arguments:
            value = argument.value(namespace)
            try:
                given = {argument.name: value} if argument.name else {**value}
            except TypeError:
                raise BadArguments(f"**{argument.source} is no mapping of names to values") from None
            for name in given:
                if name in inputs:
                    raise BadArguments(f"input {name!r} is given twice; give it once")
            inputs |= given
        return inputs


def read_line(text: str) -> Line:
    """Read one line; raises BadArguments and UnknownOption.

    >>> read_line('blog -s demo topic="LLMs in 2026", n=3')
    ... # doctest: +NORMALIZE_WHITESPACE
    Line(name='blog', options=Options(session='demo', storage=None, cache=None, map=None, limit=None, timeout=None,
    max_tokens=None, max_cost=None, out=None, fresh=False, reset=False, no_run=False, no_stream=False,
    background=False, private=False, quiet=False, help=False),
    arguments=(Argument(name='topic', source='"LLMs in 2026"'), Argument(name='n', source='3')))
    """
    name: str | None = None
    options: dict[str, Any] = {}
    arguments: list[Argument] = []
    rest = text.strip()
    while rest and not rest.startswith("#"):
        if re.match(r"--?[^\W\d]", rest):
            option, rest = read_option(rest)
            if twice := sorted(options.keys() & option.keys()):
                raise BadArguments(f"--{twice[0].replace('_', '-')} is given twice; give it once")
            options |= option
        elif found := re.match(r"([^\W\d]\w*)\s*=(?!=)|\*\*", rest):
            source, rest = _expression(found[1], rest[found.end() :])
            arguments.append(Argument(found[1], source))
            arguments[-1].code()
        elif name is None and not arguments:
            name, rest = (*rest.split(maxsplit=1), "")[:2]
            if not name.isidentifier() or keyword.iskeyword(name):
                plain = re.sub(r"\W", "_", name)
                near = f"{plain}, for instance" if plain.isidentifier() and not keyword.iskeyword(plain) else "NAME"
                raise BadArguments(f"{name!r} is no name for a workflow; write {near}, then options, then inputs as name=value")
        else:
            raise _nameless(rest, arguments)
        rest = rest.lstrip()
    return Line(name, Options(**options), tuple(arguments))


def _expression(name: str | None, text: str) -> tuple[str, str]:
    """Split off one Python expression: it ends at a comma, the next input, an option or a comment."""
    before: tokenize.TokenInfo | None = None
    depth, lambdas = 0, 0
    for start, token in _tokens(name, text):
        glued = start > 0 and text[start - 1].isspace() and _is_value(before)
        if token.string in {"(", "[", "{"}:
            depth += 1
        elif token.string in {")", "]", "}"}:
            depth -= 1
        elif depth == 0 and token.string == "lambda":
            lambdas += 1
        elif depth == 0 and lambdas:
            lambdas -= token.string == ":"
        elif depth == 0:
            if token.string == ",":
                return _source(name, text, start), text[start + 1 :]
            if token.string == "=" and before is not None and before.type == tokenize.NAME:
                following = text.rindex(before.string, 0, start)
                return _source(name, text, following), text[following:]
            if token.type == tokenize.COMMENT and glued:
                return _source(name, text, start), ""
            if glued and _NO_OPERATOR.match(text, start):
                return _source(name, text, start), text[start:]
        before = token
    return _source(name, text, len(text)), ""


def _tokens(name: str | None, text: str) -> Iterator[tuple[int, tokenize.TokenInfo]]:
    """Yield the tokens with their offsets; what Python cannot read is taken for text without quotes."""
    lines = text.splitlines(keepends=True)
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            row, column = token.start
            offset = sum(map(len, lines[: row - 1])) + column
            stuck = token.type == tokenize.COMMENT and offset and not text[offset - 1].isspace()
            if stuck or (token.type == tokenize.ERRORTOKEN and token.string.strip()):
                raise _no_python(name, text)
            if token.type not in _LAYOUT:
                yield offset, token
    except (tokenize.TokenError, SyntaxError):
        raise _no_python(name, text) from None


def _is_value(token: tokenize.TokenInfo | None) -> bool:
    """Say whether an expression can end with this token."""
    if token is None:
        return False
    if token.type == tokenize.NAME:
        return not keyword.iskeyword(token.string) or token.string in {"True", "False", "None"}
    return token.type in _LITERALS or token.string in {")", "]", "}"}


def _source(name: str | None, text: str, end: int) -> str:
    source = text[:end].strip()
    if not source:
        raise BadArguments(f"input {name!r} has no value; write {name}=…" if name else "** needs a mapping: **params")
    return source


def _nameless(rest: str, arguments: list[Argument]) -> BadArguments:
    """Return what to say of a word that is no input: most often text that lacks its quotes."""
    if arguments and arguments[-1].name and not rest.startswith(("'", '"')):
        return _no_python(arguments[-1].name, f"{arguments[-1].source}, {rest}")
    return BadArguments(f"an input has a name: write name=value, not {rest.split(maxsplit=1)[0]}")


def written(word: str) -> str:
    """Return a word as a line of %wf has it: in quotes where it must be, its braces doubled.

    >>> print(written("demo"), written("my demo"), written("{x}"), written("-x"))
    demo 'my demo' '{{x}}' '-x'
    """
    doubled = word.replace("{", "{{").replace("}", "}}")
    return f"'{doubled}'" if doubled.startswith("-") and "'" not in doubled else quote(doubled)


def _no_python(name: str | None, source: str, unknown: NameError | None = None) -> BadArguments:
    """Return what to say of an input that is no Python: what to write for a text or a tuple, else Python's own words."""
    if following := re.search(r",?\s+[^\W\d]\w*\s*=(?!=)", source):
        source = source[: following.start()]
    source = source.strip()
    if name is None or source[:1] in set("([{'\"") or (unknown and not re.fullmatch(r"[\w\s]+", source)):
        given = f"{name}={source}" if name else f"**{source}"
        return BadArguments(f"{given} is read as Python: {unknown or _complaint(source)}")
    try:
        ast.literal_eval(f"({source})")
    except (SyntaxError, ValueError):
        return BadArguments(f"{name}={source} is read as Python; for text write {name}={_quoted(source)}")
    return BadArguments(f"{name}={source} is read as Python; for several values write {name}=({source})")


def _complaint(source: str) -> str:
    """Return what Python says of a source that it cannot read."""
    try:
        compile(source, "<input>", "eval")
    except (SyntaxError, ValueError) as error:
        return getattr(error, "msg", str(error))
    return "it stands alone"


def _quoted(text: str) -> str:
    return repr(text) if '"' in text or "\\" in text else json.dumps(text, ensure_ascii=False)
