"""The fields of a form: what has no widget of its own is a model with a field for each part, or a Python expression."""

from __future__ import annotations

import ast
from contextlib import suppress
from html import escape
from typing import Any

import ipywidgets as widgets
from IPython.core.getipython import get_ipython

from ..errors import MissingInput, WorkflowError
from ..ipynb.line import Argument
from ..readable import brief
from .controls import LINE, Field, simple_field
from .wanted import BLANK, Wanted, wanted_of


class ModelField(Field):
    """A pydantic model of simple fields: one field for each, inside a frame; the model validates them."""

    @classmethod
    def takes(cls, wanted: Wanted) -> bool:
        """Take a model of which each field has a widget of its own."""
        return (
            hasattr(wanted.kind, "model_fields")
            and not wanted.optional
            and wanted.starts_as(wanted.kind)
            and all(simple_field(inner) for inner in _inner(wanted))
        )

    def _control(self) -> Any:
        self.fields = {inner.name: field(inner) for inner in _inner(self.wanted)}
        return widgets.VBox([*self.fields.values()])

    def _label(self, control: Any, words: str) -> None:
        name = widgets.HTML(f"<strong>{escape(words)}</strong>")
        control.children = [name, *control.children]
        control.layout = {"border": "1px solid var(--jp-border-color2, #ccc)", "padding": "4px", "max_width": "46em"}

    def value(self) -> Any:
        """Return the model."""
        given = {name: value for name, inner in self.fields.items() if (value := inner.value()) is not BLANK}
        absent = [name for name, inner in self.fields.items() if inner.wanted.required and name not in given]
        if absent:
            raise MissingInput(f"{', '.join(map(repr, absent))} of {self.wanted.name!r} must be filled in")
        return self.wanted.kind(**given)


def _inner(wanted: Wanted) -> list[Wanted]:
    """Return the fields of a model as inputs."""
    inputs = []
    for name, info in wanted.kind.model_fields.items():
        required = info.is_required()
        default = BLANK if required else info.get_default(call_default_factory=not info.default_factory_takes_validated_data)
        if isinstance(wanted.default, wanted.kind):
            default = getattr(wanted.default, name)
        about = info.description or ""
        extras = tuple(info.metadata)
        inputs.append(wanted_of(name, info.annotation, default=default, required=required, about=about, extras=extras))
    return inputs


class ExpressionField(Field):
    """Any other type: a Python expression in the user's namespace. Left empty it is the default."""

    def _control(self) -> Any:
        default, text = self.wanted.default, ""
        with suppress(Exception):  # whatever the user's own object does when it is compared
            if type(ast.literal_eval(repr(default))) is type(default) and ast.literal_eval(repr(default)) == default:
                text = repr(default)
        about = "a Python expression" if default is BLANK or text else f"a Python expression; left empty: {brief(repr(default))}"
        if len(text) > LINE:
            return widgets.Textarea(text, rows=4, placeholder=about)
        return widgets.Text(text, placeholder=about)

    def value(self) -> Any:
        """Return what the expression gives; raises BadArguments for what is no Python, and what it raises itself."""
        source = self.control.value.strip()
        if not source:
            return self.wanted.default
        shell = get_ipython()
        return Argument(self.wanted.name, source).value({} if shell is None else shell.user_ns)

    def written(self) -> str:
        """Return the expression."""
        return self.control.value.strip() or brief(repr(self.wanted.default))


def field(wanted: Wanted) -> Field:
    """Return the field for an input."""
    kind = simple_field(wanted) or (ModelField if ModelField.takes(wanted) else ExpressionField)
    return kind(wanted)


def complaint(error: Exception) -> str:
    """Return what to say beside a field, in one line: ours by its sentence, the user's with its name.

    >>> complaint(MissingInput("a fact; a remedy")), complaint(ZeroDivisionError("division by zero"))
    ('a fact; a remedy', 'ZeroDivisionError: division by zero')
    """
    if isinstance(error, WorkflowError):
        return str(error)
    if callable(errors := getattr(error, "errors", None)):  # pydantic says it over many lines
        with suppress(Exception):
            return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}".removeprefix(": ") for each in errors())
    return f"{type(error).__name__}: {error}".removesuffix(": ")
