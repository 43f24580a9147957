"""A field of a form: a widget by the type of an input, the value that it gives, and beside it what is wrong with it."""

from __future__ import annotations

import json
import math
from datetime import date, datetime, time
from enum import Enum
from html import escape
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args, get_origin

import ipywidgets as widgets

from ..readable import brief
from .wanted import BLANK

if TYPE_CHECKING:
    from .wanted import Wanted

#: A text that is longer than this, or of several lines, gets a box of several lines.
LINE = 60
#: The largest whole number that JavaScript holds exactly.
LARGEST = 2**53 - 1


class Field(widgets.VBox):  # type: ignore[misc] # has no types
    """One input: its `control`, what it is about, and its `error` as one line ("" when there is none)."""

    #: The width of the names, one for all fields.
    LABEL: ClassVar[str] = "10em"

    @classmethod
    def takes(cls, wanted: Wanted) -> bool:
        """Say whether this is the field for an input."""
        raise NotImplementedError

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.control: Any = self._control()
        self._label(self.control, f"{wanted.name} *" if wanted.required else wanted.name)
        self._wrong, self._about = self._line(), self._line()
        about = " · ".join([*(["* required"] if wanted.required else []), *([wanted.about] if wanted.about else [])])
        self._say(self._about, about, "font-size: 85%; color: var(--jp-ui-font-color2, inherit)")
        super().__init__([self.control, self._wrong, self._about])
        self._error = ""

    def _label(self, control: Any, words: str) -> None:
        control.description = words
        control.tooltip = self.wanted.about or self.wanted.name
        control.style.description_width = self.LABEL
        control.layout = {"width": "auto", "max_width": "44em"}

    def _control(self) -> Any:
        raise NotImplementedError

    def value(self) -> Any:
        """Return what was filled in, BLANK if nothing was; raises what an expression raises."""
        return self.control.value

    def written(self) -> str:
        """Return the value as Python, as in a line that runs the workflow."""
        value = self.value()
        return json.dumps(value, ensure_ascii=False) if isinstance(value, str) else repr(value)

    @property
    def error(self) -> str:
        """What is wrong with it, in one line."""
        return self._error

    @error.setter
    def error(self, words: str) -> None:
        self._error = brief(words)
        self._say(self._wrong, self._error and f"✗ {self._error}", "color: var(--jp-error-color1, #b3261e)", "alert")

    def _line(self) -> Any:
        return widgets.HTML(layout={"margin": f"0 2px 2px calc({self.LABEL} + 8px)"})

    def _say(self, line: Any, words: str, style: str, role: str = "note") -> None:
        line.value = f'<div role="{role}" style="line-height: 1.3; {style}">{escape(words)}</div>'
        line.layout.display = None if words else "none"


class TextField(Field):
    """A text. Left empty, an optional one is None and a required one is missing."""

    @classmethod
    def takes(cls, wanted: Wanted) -> bool:
        """Take str."""
        return wanted.kind is str and wanted.starts_as(str)

    def _control(self) -> Any:
        text = self.wanted.default if isinstance(self.wanted.default, str) else ""
        return widgets.Textarea(text, rows=4) if len(text) > LINE or "\n" in text else widgets.Text(text)

    def value(self) -> Any:
        """Return the text."""
        if self.control.value:
            return self.control.value
        return None if self.wanted.optional else BLANK if self.wanted.required else ""


class CheckField(Field):
    """A yes or no."""

    @classmethod
    def takes(cls, wanted: Wanted) -> bool:
        """Take bool."""
        return wanted.kind is bool and not wanted.optional and wanted.starts_as(bool)

    def _control(self) -> Any:
        return widgets.Checkbox(self.wanted.default is True)


class NumberField(Field):
    """A number: a slider where it has two bounds, else a box."""

    @classmethod
    def takes(cls, wanted: Wanted) -> bool:
        """Take int and float, within their bounds and as far as JavaScript has them."""
        kind, default = wanted.kind, wanted.default
        if kind not in {int, float} or wanted.optional:
            return False
        low, high = _limits(wanted)
        if default is BLANK:
            return bool(low <= high)
        return type(default) in {int, kind} and low <= default <= high and abs(default) <= LARGEST

    def _control(self) -> Any:
        whole, (low, high) = self.wanted.kind is int, _limits(self.wanted)
        step = self.wanted.bounds.get("multiple_of", 1 if whole else None)
        value = max(low, min(0, high)) if self.wanted.default is BLANK else self.wanted.default
        if math.isfinite(low) and math.isfinite(high):
            kind = widgets.IntSlider if whole else widgets.FloatSlider
            return kind(value, min=low, max=high, step=step or (high - low) / 100 or None)
        if math.isinf(low) and math.isinf(high):
            return widgets.IntText(value, step=step) if whole else widgets.FloatText(value, step=step)
        kind = widgets.BoundedIntText if whole else widgets.BoundedFloatText
        return kind(value, min=max(low, -LARGEST), max=min(high, LARGEST), step=step)


def _limits(wanted: Wanted) -> tuple[Any, Any]:
    """Return the least and the greatest number that an input may be, infinite where nobody says."""
    bounds, whole = wanted.bounds, wanted.kind is int
    low, high = bounds.get("ge", -math.inf), bounds.get("le", math.inf)
    if "gt" in bounds:
        low = math.floor(bounds["gt"]) + 1 if whole else math.nextafter(bounds["gt"], math.inf)
    if "lt" in bounds:
        high = math.ceil(bounds["lt"]) - 1 if whole else math.nextafter(bounds["lt"], -math.inf)
    return low, high


class ChoiceField(Field):
    """One of several: Literal, Enum, or a yes or no that may be left open."""

    @classmethod
    def takes(cls, wanted: Wanted) -> bool:
        """Take Literal, Enum and bool | None, with a default that is one of the choices."""
        choices = _choices(wanted)
        return bool(choices) and (wanted.default is BLANK or _place(choices, wanted.default) is not None)

    def _control(self) -> Any:
        self._choices = _choices(self.wanted)
        place = None if self.wanted.default is BLANK else _place(self._choices, self.wanted.default)
        return widgets.Dropdown(options=[label for label, _ in self._choices], index=place)

    def value(self) -> Any:
        """Return the choice."""
        return BLANK if self.control.index is None else self._choices[self.control.index][1]

    def written(self) -> str:
        """Return the choice as Python: an Enum by its class and name."""
        value = self.value()
        return f"{type(value).__name__}.{value.name}" if isinstance(value, Enum) else super().written()


def _choices(wanted: Wanted) -> list[tuple[str, Any]]:
    """Return what can be chosen, with labels; nothing where the type is no choice."""
    kind = wanted.kind
    choices: list[tuple[str, Any]] = []
    if get_origin(kind) is Literal:
        choices = [(each if isinstance(each, str) else repr(each), each) for each in get_args(kind)]
    elif isinstance(kind, type) and issubclass(kind, Enum):
        choices = [(each.name, each) for each in kind]
    elif kind is bool and wanted.optional:
        choices = [("True", True), ("False", False)]
    open_one = [("None", None)] if choices and wanted.optional and not any(value is None for _, value in choices) else []
    return choices + open_one


def _place(choices: list[tuple[str, Any]], value: Any) -> int | None:
    """Return where a value is among the choices: True is not 1."""
    return next((n for n, (_, each) in enumerate(choices) if type(each) is type(value) and each == value), None)


class TimeField(Field):
    """A date, a time, or both; with a time zone if its default has one."""

    @classmethod
    def takes(cls, wanted: Wanted) -> bool:
        """Take date, datetime and time."""
        return wanted.kind in {date, datetime, time} and wanted.starts_as(wanted.kind)

    def _control(self) -> Any:
        default = None if self.wanted.default is BLANK else self.wanted.default
        zoned = getattr(default, "tzinfo", None) is not None
        pickers = {date: widgets.DatePicker, time: widgets.TimePicker}
        return pickers.get(self.wanted.kind, widgets.DatetimePicker if zoned else widgets.NaiveDatetimePicker)(value=default)

    def value(self) -> Any:
        """Return the point in time; an optional one that is left empty is None."""
        return self.control.value if self.control.value is not None else None if self.wanted.optional else BLANK


#: The fields that are one widget, in the order in which they are tried.
SIMPLE: tuple[type[Field], ...] = (TextField, CheckField, NumberField, ChoiceField, TimeField)


def simple_field(wanted: Wanted) -> type[Field] | None:
    """Return the kind of field for an input that has a widget of its own."""
    return next((each for each in SIMPLE if each.takes(wanted)), None)
