"""What a run says, laid out while it comes: sections one after the other, their finished HTML on pages, what is open in tails.

Each update changes the last page of a section and its tail, and never all that was shown; whoever has pages, tails and sections
has everything.
"""

from __future__ import annotations

from typing import Any

from ..readable import brief
from .content import content_html
from .growing import GrowingMarkdown
from .markdown import text_html
from .said import Failure, Reasoning, ToolCall

#: There are so many pages of so many characters of HTML; what is longer is in the record.
PAGES, PAGE = 512, 2048
#: So many sections can grow side by side and show what is open in them.
TAILS = 16
#: So much of a thought is shown while it comes, in characters.
THOUGHT = 2000

Changes = dict[str, Any]


class Layout:
    r"""Lays out what is said, lane by lane; each `add` is cheap, `changes` renders what came since it was last asked.

    What branches say side by side stands in sections of their own, until something is said outside of them.

    >>> layout = Layout()
    >>> layout.add("Go."), layout.add("one", lane="a")
    (None, None)
    >>> for section in layout.changes()["sections"]: print(section)
    {'title': '', 'pages': [0], 'tail': None, 'status': 'completed'}
    {'title': 'a', 'pages': [], 'tail': 0, 'status': 'running'}
    """

    def __init__(self, *, text: type[GrowingMarkdown] = GrowingMarkdown, pages: int = PAGES) -> None:
        self._kind = text
        self._blank = list(range(pages - 1, -1, -1))
        self._slots = list(range(TAILS - 1, -1, -1))
        self._sections: list[_Section] = []
        self._open: dict[tuple[str, str], _Section] = {}
        self._agents: set[str] = set()
        self._shown: Changes = {}
        self._tails: dict[int, str] = {}

    @property
    def full(self) -> bool:
        """Whether all pages are written: what comes now is not shown."""
        return not self._blank

    def add(self, content: Any, *, lane: str | None = None, agent: str | None = None) -> None:
        """Take one more thing said: by a branch in its lane, by an agent outside of them, or by the run itself."""
        key = ("lane", lane) if lane is not None else ("agent", agent or "")
        if key not in self._open:
            self._make_way(key)
            self._open[key] = _Section(key, self._kind)
            self._sections.append(self._open[key])
        section = self._open[key]
        section.over = section.is_laid_out = False  # it may have ended before all that it said was read
        section.add(content)

    def _make_way(self, key: tuple[str, str]) -> None:
        """End the sections that cannot stand beside a new one: only lanes can, beside each other."""
        if key[0] == "agent":
            self._agents.add(key[1])
        for other in [other for other in self._open if key[0] == "agent" or other[0] == "agent"]:
            self._open.pop(other).end()

    def lane_ended(self, lane: str, status: str) -> None:
        """Say how a branch ended; the others go on."""
        section = self._open.get(("lane", lane))
        if section is not None and not section.over:
            section.end(failed=status == "failed")

    def end(self) -> None:
        """Say that nothing more comes."""
        for section in self._open.values():
            section.end()
        self._open.clear()

    def changes(self) -> Changes:
        """Return what changed on the pages, in the tails and of the sections, by the name of the field."""
        changes: Changes = {}
        for section in self._sections:
            if not section.is_laid_out:
                self._lay_out(section, changes)
        changes |= {f"tail_{slot}": html for slot, html in self._tails.items()}
        self._tails = {}
        sections = [section.outline(named=len(self._agents - {""}) > 1) for section in self._sections]
        changes["sections"] = sections
        news = {name: value for name, value in changes.items() if self._shown.get(name) != value}
        self._shown |= {name: value for name, value in news.items() if not name.startswith("page_")}
        return news

    def _lay_out(self, section: _Section, changes: Changes) -> None:
        section.is_laid_out = True
        finished, tail = section.rendered()
        if finished:
            changes |= self._written(section, finished)
        if tail and section.slot is None and self._slots:
            section.slot = self._slots.pop()
        if section.slot is not None:
            self._tails[section.slot] = tail
            if section.over:
                self._slots.append(section.slot)
                section.slot = None

    def _written(self, section: _Section, html: str) -> Changes:
        if section.pages and len(section.page) + len(html) <= PAGE:
            section.page += html
        elif self._blank:
            section.page = html
            section.pages.append(self._blank.pop())
        else:
            return {}
        return {f"page_{section.pages[-1]}": section.page}


class _Section:
    """What one lane or agent says without a break: its finished HTML, and what is open in it."""

    def __init__(self, key: tuple[str, str], kind: type[GrowingMarkdown]) -> None:
        self.key = key
        self.pages: list[int] = []
        self.page = ""
        self.slot: int | None = None
        self.over = self.failed = False
        #: Whether it is shown as it stands: what says nothing is not rendered again and again.
        self.is_laid_out = False
        self._kind = kind
        self._text = kind()
        self._thought: list[str] = []
        self._calls: dict[str, ToolCall] = {}
        self._done: list[str] = []

    def end(self, *, failed: bool = False) -> None:
        self.over, self.failed, self.is_laid_out = True, self.failed or failed, False

    def outline(self, *, named: bool) -> Changes:
        kind, name = self.key
        title = brief(name) if named or kind == "lane" else ""
        status = "failed" if self.failed else "completed" if self.over else "running"
        return {"title": title, "pages": [*self.pages], "tail": self.slot, "status": status}

    def add(self, content: Any) -> None:
        if isinstance(content, Reasoning):
            self._close_text()
            self._thought.append(content.text)
            return
        self._close_thought()
        if isinstance(content, str):
            self._text.add(content)
            return
        self._close_text()
        self.failed = self.failed or isinstance(content, Failure)
        if isinstance(content, ToolCall):
            self._calls.pop(content.call_id, None)
            if not content.over:
                self._calls[content.call_id] = content
                return
        self._done.append(content_html(content))

    def rendered(self) -> tuple[str, str]:
        """Return the HTML that was finished since the last call, and that of what is open."""
        if self.over:
            self._close_thought()
            self._close_text()
            self._done += map(content_html, self._calls.values())
            self._calls.clear()
        finished = "".join(self._done) + self._text.finished()
        self._done.clear()
        thought = "".join(self._thought)[-THOUGHT:]
        tail = f"<details open><summary>reasoning …</summary>{text_html(thought)}</details>" if thought else ""
        return finished, "" if self.over else tail + "".join(map(content_html, self._calls.values())) + self._text.tail()

    def _close_text(self) -> None:
        html = self._text.finished() + self._text.tail()
        if html:
            self._done.append(html)
            self._text = self._kind()

    def _close_thought(self) -> None:
        if self._thought:
            self._done.append(content_html(Reasoning("".join(self._thought))))
            self._thought.clear()
