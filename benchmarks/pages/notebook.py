"""A notebook in a real page, of which is told what it cost."""

from __future__ import annotations

import re

WATCH = """
window.longest = 0;
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) window.longest = Math.max(window.longest, entry.duration);
}).observe({ type: "longtask", buffered: false });
"""


class Notebook:
    """A notebook whose cells are played one by one, and what comes over its websockets."""

    def __init__(self, page, lab, name, *cells, setup):
        self.page, self.lab, self.sent = page, lab, 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))
        lab.write(name, setup, *cells)
        lab.open(page, name)
        page.evaluate(WATCH)
        self.run(0)

    def _count(self, frame):
        self.sent += len(frame if isinstance(frame, bytes) else frame.encode())

    def start(self, number):
        cell = self.page.locator(".jp-CodeCell").nth(number)
        cell.locator(".cm-content").click()
        self.page.evaluate("window.longest = 0")
        self.sent = 0
        self.page.keyboard.press("Shift+Enter")
        return cell

    def told(self):
        """Return what the last cell that was timed took: CPU and wall, in seconds."""
        cpu, wall = (self.lab.root / "timed.txt").read_text().split()
        return float(cpu), float(wall)

    def run(self, number):
        cell = self.start(number)
        cell.locator(".jp-InputArea-prompt").filter(has_text=re.compile(r"\[\d+\]")).wait_for(timeout=300_000)
        return cell
