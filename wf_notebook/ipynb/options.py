"""The options of the magics: one table, from which they are read, completed and explained."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple

from ..errors import BadArguments, UnknownOption
from ..nearest import did_you_mean


class Option(NamedTuple):
    """One option of the magics: `--name METAVAR` or `-short`; without a metavar it is a switch."""

    name: str
    short: str
    metavar: str | None
    help: str


OPTIONS = (
    Option(
        "session",
        "s",
        "ID",
        "the session to load and save; %workflow stays in it, a cell goes back to %config, WF_SESSION or NAME",
    ),
    Option(
        "storage",
        "",
        "URL",
        "where sessions are kept, likewise: duckdb:///runs.duckdb, sqlite:///runs.db, postgresql://…, memory:",
    ),
    Option(
        "cache",
        "",
        "MODE",
        "how steps are dealt with that were done before: use, refresh (do them again), only (do none), off",
    ),
    Option("fresh", "", None, "do each step again, beside what it gave before: --cache refresh"),
    Option("reset", "", None, "start from an empty session_state; the old one stays a version"),
    Option("no-run", "n", None, "define the workflow and do not run it"),
    Option("no-stream", "", None, "show the record at the end, and nothing before"),
    Option("background", "", None, "return at once: the run goes on, and shows itself in this cell; .result() waits for it"),
    Option("private", "", None, "keep the state, and no record of the run: nothing of what was asked and said"),
    Option(
        "map", "", "DATA", "do it for each row of DATA: a variable, an expression, the path of a file; what it gives is a sweep"
    ),
    Option("limit", "", "N", "with --map: do so many rows at once (8)"),
    Option("timeout", "", "SECONDS", "with --map: how long a row may take; then it is ended, and failed"),
    Option("max-tokens", "", "N", "with --map: what all rows may spend; the same again goes on with the rest"),
    Option("max-cost", "", "USD", "with --map: the same in US dollars"),
    Option("out", "o", "VAR", "put the response into the variable VAR"),
    Option("quiet", "q", None, "show nothing"),
    Option("help", "h", None, "show this help"),
)


#: Short switches may be joined: -qn.
JOINED = rf"-[{''.join(option.short for option in OPTIONS if option.metavar is None)}]{{2,}}"


@dataclass(frozen=True)
class Options:
    """What the options of a line say; values as written, until `expand` has filled in `{expressions}`."""

    session: str | None = None
    storage: str | None = None
    cache: str | None = None
    map: str | None = None
    limit: str | None = None
    timeout: str | None = None
    max_tokens: str | None = None
    max_cost: str | None = None
    out: str | None = None
    fresh: bool = False
    reset: bool = False
    no_run: bool = False
    no_stream: bool = False
    background: bool = False
    private: bool = False
    quiet: bool = False
    help: bool = False

    def expand(self, namespace: dict[str, Any]) -> Options:
        """Return the options with each `{expression}` replaced by its value; `{{` is a brace. What --map names is Python itself.

        >>> Options(session="{user}-{2 * n}").expand({"user": "ada", "n": 3}).session
        'ada-6'
        """
        given: dict[str, Any] = {f.name: value for f in fields(self) if isinstance(value := getattr(self, f.name), str)}
        given.pop("map", None)
        given = {name: expanded(f"--{name}", text, namespace) for name, text in given.items()}
        options = replace(self, **given)
        if options.out is not None and not options.out.isidentifier():
            raise BadArguments(f"--out {options.out!r} is no name for a variable; write --out VAR")
        if options.fresh and options.cache not in {None, "refresh"}:
            raise BadArguments(f"--fresh is --cache refresh, and --cache {options.cache} is something else; write one of them")
        if options.session is not None and not options.session.strip():
            raise BadArguments("--session is empty; write --session ID")
        options.of_map()
        return options

    def of_map(self) -> dict[str, Any]:
        """Return what is said of how rows are done, as map() takes it. Raises BadArguments for what is said without --map.

        >>> Options(map="df", limit="4", timeout="1.5").of_map()
        {'limit': 4, 'timeout': 1.5}
        """
        given = {name: text for name in _OF_MAP if (text := getattr(self, name)) is not None}
        if self.map is None and given:
            option = f"--{next(iter(given)).replace('_', '-')}"
            raise BadArguments(f"{option} is for the rows of --map; write --map DATA with it")
        if self.map is not None and self.reset:
            raise BadArguments("--reset is for one session, and each row of --map begins anew by itself; write one of them")
        return {name: _number(name, text) for name, text in given.items()}


#: Options that say how rows are done, and which numbers they are.
_OF_MAP: dict[str, type[int | float]] = {"limit": int, "timeout": float, "max_tokens": int, "max_cost": float}


def _number(name: str, text: str) -> float:
    kind = _OF_MAP[name]
    try:
        return kind(text.replace("_", ""))
    except ValueError:
        option, example = f"--{name.replace('_', '-')}", "8" if kind is int else "1.5"
        raise BadArguments(f"{option} {text!r} is no {'whole ' if kind is int else ''}number; write {option} {example}") from None


def help_text(options: tuple[Option, ...] = OPTIONS) -> str:
    """Return the table of options as the lines that `%workflow -h` prints."""
    rows = []
    for option in options:
        short = f"-{option.short}, " if option.short else "    "
        rows.append((f"  {short}--{option.name}{f' {option.metavar}' if option.metavar else ''}", option.help))
    width = max(len(left) for left, _ in rows)
    return "\n".join(f"{left:<{width}}  {right}" for left, right in rows)


def read_option(text: str, options: tuple[Option, ...] = OPTIONS) -> tuple[dict[str, Any], str]:
    """Read the option that `text` begins with: its field of Options and value, and what follows.

    >>> read_option('--session "my demo" topic=1')
    ({'session': 'my demo'}, ' topic=1')
    >>> read_option("-qn topic=1")
    ({'no_run': True, 'quiet': True}, ' topic=1')
    """
    found = re.match(r"(--?)([\w-]+)", text)
    assert found is not None
    written, dashes, word = found.group(0, 1, 2)
    option = next((option for option in options if word == (option.name if dashes == "--" else option.short)), None)
    if option is None and options is OPTIONS and re.fullmatch(JOINED, written):
        return {option.name.replace("-", "_"): True for option in OPTIONS if option.short and option.short in word}, text[
            found.end() :
        ]
    if option is None:
        known = [option.name for option in options]
        near = did_you_mean(word, known).replace("'", "'--", 1)
        listed = ", ".join(f"--{name}" for name in known)
        raise UnknownOption(f"no option {written!r}{near or f'; there are {listed}'}")
    field, rest = option.name.replace("-", "_"), text[found.end() :]
    if option.metavar is None:
        if rest and not rest[0].isspace():
            raise BadArguments(f"{written} takes no value, not {rest.split()[0]!r}")
        return {field: True}, rest
    if rest.lstrip().startswith("-"):
        rest = ""
    is_python = option.name == "map"
    value, rest = split_word(written, rest.removeprefix("=").lstrip(), "([{" if is_python else "{")
    if value is None:
        raise BadArguments(f"{written} needs a value: {written} {option.metavar}")
    return {field: value}, rest


#: What closes a bracket.
_CLOSING = {"(": ")", "[": "]", "{": "}"}


def split_word(option: str, text: str, brackets: str = "{") -> tuple[str | None, str]:
    """Split off one word: quotes hold it together (and go), so do brackets (and stay, with the quotes inside of them).

    >>> split_word("--map", "df[df.name == 'a b'] tone='dry'", "([{"), split_word("--map", "odd(.csv tone='dry'", "([{")
    (("df[df.name == 'a b']", " tone='dry'"), ('odd(.csv', " tone='dry'"))
    """
    closing = [_CLOSING[each] for each in brackets]
    deeper = dict.fromkeys(brackets, 1) | dict.fromkeys(closing, -1)
    word, quote, depth, position = "", "", 0, 0
    for position, character in enumerate(text):  # noqa: B007 - where the word ended
        if quote and character != quote:
            word += character
        elif character in "'\"":
            quote = "" if quote else character
            word += character if depth else ""
        elif character.isspace() and not depth:
            break
        else:
            depth = max(0, depth + deeper.get(character, 0))
            word += character
    else:
        position = len(text)
    if (quote or depth) and brackets != "{":
        return split_word(option, text)
    if quote:
        raise BadArguments(f"the quote in {option} {text} is never closed")
    return (word if text else None), text[position:]


def python_word(text: str) -> str:
    """Return what --map names as a line has it: in quotes, where brackets do not hold it together.

    >>> python_word("my rows.csv"), python_word("[f'{n} a' for n in x]")
    ('"my rows.csv"', "[f'{n} a' for n in x]")
    """
    if split_word("--map", text, "([{") == (text, ""):
        return text
    return f"'{text}'" if '"' in text else f'"{text}"'


def expanded(option: str, text: str, namespace: dict[str, Any]) -> str:
    """Replace each `{expression}` by its value."""
    done, rest = "", text
    while rest:
        if rest[:2] in {"{{", "}}"}:
            done, rest = done + rest[0], rest[2:]
        elif rest[0] == "{":
            ends = [n for n, character in enumerate(rest) if character == "}" and is_expression(rest[1:n])]
            if not ends:
                raise BadArguments(f"{rest} in {option} is no Python expression in braces; write {{{{ for a brace")
            source, rest = rest[1 : ends[0]], rest[ends[0] + 1 :]
            try:
                done += str(eval(source.strip(), namespace))  # noqa: S307 - what the user wrote, in the user's own kernel
            except NameError as error:
                raise BadArguments(f"{{{source}}} in {option} has no value: {error}") from None
        else:
            done, rest = done + rest[0], rest[1:]
    return done


def names_in(text: str | None) -> frozenset[str]:
    """Return the names that the `{expression}`s of an option use.

    >>> sorted(names_in("{user}-{2 * n}")), names_in(None)
    (['n', 'user'], frozenset())
    """
    found = re.findall(r"(?<!\{)\{([^{}]+)\}", text or "")
    trees = [ast.parse(source.strip(), mode="eval") for source in found if is_expression(source)]
    return frozenset(node.id for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Name))


def is_expression(source: str) -> bool:
    """Say whether a text is a Python expression."""
    try:
        compile(source.strip(), "<option>", "eval")
    except (SyntaxError, ValueError):
        return False
    return True
