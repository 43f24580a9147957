"""What run() takes: inputs are bound to its signature, and refused in one clear line, before anything runs."""

from __future__ import annotations

from inspect import Parameter
from typing import TYPE_CHECKING, Any

from .errors import MissingInput, UnknownInput, WorkflowError
from .nearest import did_you_mean

if TYPE_CHECKING:
    from inspect import Signature


class Inputs:
    """The inputs that a method takes, beside the workflow, which is its first parameter.

    >>> from inspect import signature
    >>> def run(self, topic, *, use_cache=True): ...
    >>> inputs = Inputs(signature(run))
    >>> inputs.bound(("cheese",), {}, name="Blog")
    {'topic': 'cheese'}
    >>> inputs.bound((), {"topik": "cheese"}, name="Blog")
    Traceback (most recent call last):
    wf_notebook.errors.UnknownInput: Blog.run() takes no input 'topik'; did you mean 'topic'?
    """

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        by_name = (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)
        others = list(signature.parameters.values())[1:]
        self._names = [each.name for each in others if each.kind in by_name]
        variable = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)
        self._needed = {each.name for each in others if each.default is each.empty and each.kind not in variable}

    def bound(self, args: tuple[Any, ...], kwargs: dict[str, Any], *, name: str) -> dict[str, Any]:
        """Return the inputs by name, in the order of the parameters.

        Raises MissingInput and UnknownInput; both are TypeErrors, as a plain call's would be.
        """
        if not args and self._names and self._needed <= kwargs.keys() <= {*self._names}:  # as nearly always
            return {each: kwargs[each] for each in self._names if each in kwargs}
        try:
            bound = self._signature.bind(None, *args, **kwargs)
        except TypeError as error:
            raise _refusal(self._signature, args, kwargs, name, error) from None
        inputs = dict(list(bound.arguments.items())[1:])
        for parameter in self._signature.parameters.values():
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
