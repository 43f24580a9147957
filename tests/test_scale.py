"""The page and the picture of how far it goes show the same steps."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture
def drawing(monkeypatch):
    monkeypatch.syspath_prepend(REPOSITORY / "tools")
    return runpy.run_path(str(REPOSITORY / "tools" / "scale.py"))


def test_the_picture_is_as_its_steps_draw_it(drawing):
    picture = (REPOSITORY / "docs" / "scale.svg").read_text("utf-8")
    assert picture == drawing["drawn"](), "draw it again: python tools/scale.py"


def test_the_page_has_a_row_for_each_step_of_the_picture(drawing):
    page = (REPOSITORY / "docs" / "scale.md").read_text("utf-8")
    rows = [row.split(" | ")[0].removeprefix("| ") for row in page.splitlines() if row.startswith("| ")]
    steps = [step.name for step in drawing["STEPS"]]
    assert rows[rows.index(steps[0]) :][: len(steps)] == steps


def test_what_stands_in_a_box_of_the_picture_fits_into_it(drawing):
    for step in drawing["STEPS"]:
        for labels in (step.drivers, step.workers, (step.store,)):
            for label, (_, breadth) in zip(labels, drawing["_places"](0, labels), strict=True):
                assert len(label) * drawing["LETTER"] < breadth
