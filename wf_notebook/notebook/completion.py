"""Completion on the line of a magic: names of workflows, options, inputs, and the sessions at hand."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from IPython.core.completer import SimpleCompletion, context_matcher
from IPython.core.getipython import get_ipython

from ..ipynb.cell import snake_case
from ..ipynb.options import OPTIONS
from ..ipynb.workflows import find, names, parameters
from ..tabular import seen
from ..verbs.table import options_of
from ..workflow import Workflow
from .known import known
from .verbs import VERBS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from IPython.core.completer import CompletionContext, SimpleMatcherResult

_LINE = re.compile(r"^\s*(?:[^\W\d]\w*\s*=\s*)?(%%?)(workflow|wf)\s(?P<written>.*)$")
_SQL_CELL = re.compile(r"\s*%%wf\s+sql\b")


def _complete(context: CompletionContext) -> SimpleMatcherResult:
    """Complete the word at the cursor."""
    found = _LINE.match(context.text_until_cursor)
    shell = get_ipython()
    if shell is not None and found is None and context.cursor_line and _SQL_CELL.match(context.full_text):
        word = re.split(r"\s+", context.text_until_cursor)[-1]
        return _result([text for text in known(["sql"], shell.user_ns) if word and text.startswith(word)], word)
    if found is None or shell is None:
        return {"completions": []}
    *words, word = re.split(r"\s+", found["written"])
    if _in_a_text(found["written"]):  # what is written stays, and only files are offered
        return {**_result([word], word), "do_not_suppress": {"IPCompleter.file_matcher"}}
    body = context.full_text.partition("\n")[2] if found[1] == "%%" else ""
    space = shell.user_ns
    candidates = _of_verbs(words, word, space) if found[2] == "wf" else _candidates(words, word, space, body)
    return _result([text for text in candidates if text.startswith(word)], word)


def _result(texts: list[str], word: str) -> SimpleMatcherResult:
    completions = [SimpleCompletion(text, type="param") for text in texts]
    return {"completions": completions, "matched_fragment": word, "suppress": bool(completions), "ordered": True}


def _in_a_text(written: str) -> bool:
    """Return whether a quote is open at the end of what is written."""
    quote = ""
    for character in re.sub(r"\\.", "", written):
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
    return bool(quote)


complete: Any = context_matcher(identifier="wf_notebook")(_complete)


def _candidates(words: list[str], word: str, namespace: dict[str, Any], body: str) -> Iterable[str]:
    """Return what may stand in the place of `word`, after `words`."""
    valued = {dashed for option in OPTIONS if option.metavar for dashed in (f"--{option.name}", f"-{option.short}")}
    if words and words[-1] in valued:
        return _values(words[-1], namespace)
    if "=" in word:
        return []
    if word.startswith("-"):
        return [f"--{option.name}" for option in OPTIONS if f"--{option.name}" not in words]
    bare = [each for before, each in zip(["", *words], words, strict=False) if each.isidentifier() and before not in valued]
    if bare or any("=" in each for each in words):
        given = {each.partition("=")[0] for each in words}
        inputs = [f"{each}=" for each in _inputs(bare[:1], namespace, body) if each not in given]
        return inputs if inputs or word else [f"--{option.name}" for option in OPTIONS if f"--{option.name}" not in words]
    if body:
        return [snake_case(node.name) for node in _statements(body) if isinstance(node, ast.ClassDef)]
    return names(namespace)


def _values(option: str, namespace: dict[str, Any]) -> list[str]:
    """Return what may follow an option."""
    named = [(name, value) for name, value in list(namespace.items()) if not name.startswith("_") and name != "In"]
    if option == "--map":
        return [name for name, value in named if isinstance(value, list) or seen(value) is not None]
    if option in {"-s", "--session"}:
        return sorted({value.session_id for _, value in named if isinstance(value, Workflow)})
    return []


def _of_verbs(words: list[str], word: str, namespace: dict[str, Any]) -> Iterable[str]:
    """Return what may stand in the place of `word` on a line of %wf."""
    if not words:
        return [verb.name for verb in VERBS]
    verb = next((verb for verb in VERBS if verb.name == words[0]), None)
    if verb is None or words[-1] in {"--storage", "-o", "--out"}:
        return []
    if word.startswith("-"):
        return [f"--{option.name}" for option in options_of(verb) if f"--{option.name}" not in words]
    return names(namespace) if words == ["form"] else known(words, namespace, word)


def _inputs(name: list[str], namespace: dict[str, Any], body: str) -> list[str]:
    """Return the inputs of the run() in the cell, or of the workflow of that name."""
    for node in _statements(body):
        for inner in [node, *getattr(node, "body", [])]:
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and inner.name in {"run", "arun"}:
                arguments = [*inner.args.posonlyargs, *inner.args.args, *inner.args.kwonlyargs]
                return [argument.arg for argument in arguments if argument.arg != "self"]
    if not name or name[0] not in [*names(namespace), *map(snake_case, names(namespace))]:
        return []
    return list(parameters(find(namespace, name[0])[0]))


def _statements(body: str) -> Iterator[ast.stmt]:
    """Yield what a cell defines; a cell that is being written may not be Python yet."""
    try:
        yield from ast.parse(body).body
    except SyntaxError:
        return
