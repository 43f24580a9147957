"""The outputs of a cell: whether they are what they were, and in a few lines, where not."""

from __future__ import annotations

import json
import re
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: A widget's view names its model by an id of the kernel in which it was made.
VIEW = "application/vnd.jupyter.widget-view+json"
#: How many lines of a difference are shown, and how many characters of each.
LINES, WIDTH = 12, 160

#: What a line has that was written over, and the number of an execution where an error names its cell.
_OVERWRITTEN, _BACKSPACE, _NUMBER = re.compile(r".*\r(?=[^\n])"), re.compile(r"[^\n]\x08"), re.compile(r"In\[\d+\]")


def same(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether outputs are the same: all that is shown, but for metadata and numbers of executions.

    When a run without a step began and how long it took is metadata too, also where its record says it.

    >>> same([{"output_type": "stream", "name": "stdout", "text": "a"}, {"output_type": "stream", "name": "stdout", "text": "b"}],
    ...      [{"output_type": "stream", "name": "stdout", "text": "ab"}])
    True
    """
    return next(_unlike(old, new), None) is None


def difference(old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]) -> str:
    r"""Return in a few lines what differs; empty where nothing does.

    >>> stream = lambda text: [{"output_type": "stream", "name": "stdout", "text": text}]
    >>> print(difference(stream("one\ntwo\n"), stream("one\nthree\n")))
    stdout
      one
    - two
    + three
    """
    lines = [line for pair in _unlike(old, new) for line in _told(*pair)]
    more = [f"… {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    return "\n".join([*lines[:LINES], *more])


def shows_widgets(outputs: Iterable[Mapping[str, Any]]) -> bool:
    """Say whether there is a widget among outputs."""
    return any(VIEW in output.get("data", {}) for output in outputs)


def _unlike(
    old: Iterable[Mapping[str, Any]], new: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any] | None]]:
    """Yield the outputs that differ, old and new, None where one has no counterpart."""
    before, after = merged(old), merged(new)
    for number in range(max(len(before), len(after))):
        one = before[number] if number < len(before) else None
        other = after[number] if number < len(after) else None
        if one is None or other is None:
            yield one and _plain(one), other and _plain(other)
        elif _plain(one) != _plain(other) and _timeless(one) != _timeless(other):
            yield _plain(one), _plain(other)


def merged(outputs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return outputs with each stream in one piece, as nbclient merges them: when its pieces come is chance."""
    found: list[dict[str, Any]] = []
    streams: dict[str, dict[str, Any]] = {}
    for output in outputs:
        name, text = output.get("name", "stdout"), _joined(output.get("text", ""))
        if output.get("output_type") != "stream":
            found.append(dict(output))
        elif name in streams:
            streams[name]["text"] += text
        else:
            streams[name] = {**output, "name": name, "text": text}
            found.append(streams[name])
    for stream in streams.values():
        text, shorter = stream["text"], ""
        while text != (shorter := _BACKSPACE.sub("", text)):
            text = shorter
        stream["text"] = _OVERWRITTEN.sub("", text)
    for first in range(len(found) - 1):
        if [one.get("name") for one in found[first : first + 2]] == ["stderr", "stdout"]:
            found[first : first + 2] = reversed(found[first : first + 2])
    return found


def _plain(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown of an output, under the names that a difference is told by."""
    match output.get("output_type"):
        case "stream":
            return {output["name"]: output["text"]}
        case "error":
            lines = _NUMBER.sub("In[]", "\n".join(output.get("traceback", ())))
            return {"error": f"{output.get('ename')}: {output.get('evalue')}", "traceback": lines}
        case _:
            data = {mime: _joined(value) for mime, value in output.get("data", {}).items()}
            if isinstance(data.get(VIEW), dict):
                data[VIEW] = {name: value for name, value in data[VIEW].items() if name != "model_id"}
            return data


def _timeless(output: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is shown of the record of a run, without when that began and how long it took: its metadata says so, too."""
    shown, about = _plain(output), output.get("metadata", {}).get("wf_notebook")
    if not isinstance(about, dict):
        return shown
    from ..render.record import taken

    if not (when := taken(about)):
        return shown
    return {mime: value.replace(when, "…", 1) if isinstance(value, str) else value for mime, value in shown.items()}


def _joined(value: Any) -> Any:
    return "".join(value) if isinstance(value, list) and all(isinstance(line, str) for line in value) else value


def _told(old: dict[str, Any] | None, new: dict[str, Any] | None) -> list[str]:
    """Return the lines that tell how two outputs differ: in their text, where that does, else in the first thing that does."""
    if old is None or new is None:
        shown, sign = (old, "-") if new is None else (new, "+")
        assert shown is not None
        name = "text/plain" if "text/plain" in shown else next(iter(shown), "")
        return [f"{name}, {'gone' if new is None else 'new'}", *(f"{sign} {_cut(line)}" for line in _lines(shown.get(name, "")))]
    unlike = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    name = next((each for each in ("text/plain", "error") if each in unlike), unlike[0])
    if name not in old or name not in new:
        return [f"{name}, {'gone' if name in old else 'new'}"]
    if name.startswith(("image/", "audio/", "video/")) and not name.endswith("xml"):
        return [f"{name}: {len(old[name]):,} and {len(new[name]):,} characters, which differ"]
    return [name, *_line_by_line(_lines(old[name]), _lines(new[name]))]


def _line_by_line(old: list[str], new: list[str]) -> Iterator[str]:
    start = _first_difference(old, new)
    for line in list(unified_diff(old, new, lineterm="", n=1))[2:]:
        if not line.startswith("@@"):
            yield f"{line[0]} {_cut(line[1:], start)}"


def _first_difference(old: list[str], new: list[str]) -> int:
    """Return where in their first lines that differ two texts do."""
    one, other = next(((a, b) for a, b in zip(old, new, strict=False) if a != b), ("", ""))
    return next((n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _cut(line: str, around: int = 0) -> str:
    """Return a line that is not too long, and has in it what is at `around`."""
    if len(line) <= WIDTH:
        return line
    start = max(0, min(around - WIDTH // 3, len(line) - WIDTH))
    return f"{'…' if start else ''}{line[start : start + WIDTH]}{'…' if start + WIDTH < len(line) else ''}"


def _lines(value: Any) -> list[str]:
    return (value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False, sort_keys=True)).splitlines()
