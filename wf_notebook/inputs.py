"""What run() takes: inputs are bound to its signature, and refused in one clear line, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import MissingInput, UnknownInput, WorkflowError
from .nearest import did_you_mean

if TYPE_CHECKING:
    from inspect import Signature


def bound_inputs(signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any], *, name: str) -> dict[str, Any]:
    """Return the inputs by name; `signature` is that of the method, its first parameter is the workflow.

    Raises MissingInput and UnknownInput; both are TypeErrors, as a plain call's would be.

    >>> from inspect import signature
    >>> def run(self, topic, *, use_cache=True): ...
    >>> bound_inputs(signature(run), ("cheese",), {}, name="Blog")
    {'topic': 'cheese'}
    >>> bound_inputs(signature(run), (), {"topik": "cheese"}, name="Blog")
    Traceback (most recent call last):
    wf_notebook.errors.UnknownInput: Blog.run() takes no input 'topik'; did you mean 'topic'?
    """
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError as error:
        raise _refusal(signature, args, kwargs, name, error) from None
    inputs = dict(list(bound.arguments.items())[1:])
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            inputs |= inputs.pop(parameter.name, {})
    return inputs


def _refusal(signature: Signature, args: tuple[Any, ...], kwargs: dict[str, Any], name: str, error: TypeError) -> WorkflowError:
    takes = list(signature.parameters.values())[1:]
    names = [p.name for p in takes if p.kind in {p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY}]
    listed = ", ".join(map(repr, names)) or "no inputs"
    for given in kwargs:
        if given not in names:
            hint = did_you_mean(given, names) or f"; it takes {listed}"
            return UnknownInput(f"{name}.run() takes no input {given!r}{hint}")
    missing = [p.name for p in takes[len(args) :] if p.name in names and p.default is p.empty and p.name not in kwargs]
    if missing:
        call = ", ".join(f"{m}=…" for m in missing)
        return MissingInput(f"{name}.run() needs {', '.join(map(repr, missing))}; call it as run({call})")
    return UnknownInput(f"{name}.run(): {error}; it takes {listed}")
