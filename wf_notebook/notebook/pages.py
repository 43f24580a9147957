"""The pages of a live output: finished HTML, laid where each update sends the last page and not all of them."""

from __future__ import annotations

#: A live output has so many pages of so many characters of HTML; what is longer is in the record.
PAGES, PAGE = 64, 8192


class Pages:
    """Lays finished HTML on the pages of a widget, one after the other.

    >>> pages = Pages(size=10)
    >>> pages.add("<p>one</p>"), pages.add("<p>two</p>")
    ({'page_0': '<p>one</p>'}, {'page_1': '<p>two</p>'})
    """

    def __init__(self, *, size: int = PAGE, capacity: int = PAGES) -> None:
        self._size = size
        self._capacity = capacity
        self._page, self._html = 0, ""

    def add(self, html: str) -> dict[str, str]:
        """Return the page that changes, by the name of its trait; nothing when all are full."""
        if not html or self._page == self._capacity:
            return {}
        if self._html and len(self._html) + len(html) > self._size:
            self._page, self._html = self._page + 1, ""
            if self._page == self._capacity:
                return {"tail": "<p><em>… the rest is in the record, at the end of the run</em></p>"}
        self._html += html
        return {f"page_{self._page}": self._html}

    @property
    def full(self) -> bool:
        """Whether nothing more will be shown."""
        return self._page == self._capacity
