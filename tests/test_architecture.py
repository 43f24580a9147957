"""The page and the picture of the architecture show the house as it is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import wf_notebook

HOUSE = Path(wf_notebook.__file__).parent
REPOSITORY = HOUSE.parent
PAGE = (REPOSITORY / "docs" / "architecture.md").read_text("utf-8")
SVG = REPOSITORY / "docs" / "house.svg"
DRAWING = runpy.run_path(str(REPOSITORY / "tools" / "house.py"))
FOLDERS = {path.parent.name for path in HOUSE.glob("*/__init__.py")}
MODULES = {path.stem for path in HOUSE.glob("*.py")}


def test_the_picture_names_each_room_and_folder_of_the_top_level():
    texts = {text.text for text in ET.parse(SVG).iter("{http://www.w3.org/2000/svg}text")}
    assert {text.partition("/")[0] for text in texts if "/" in text} == FOLDERS
    assert texts >= MODULES


def test_the_picture_is_as_the_table_of_floors_draws_it():
    assert SVG.read_text("utf-8") == DRAWING["drawn"](DRAWING["floors"]()), "draw it again: python tools/house.py"


@pytest.mark.parametrize("palette", ["LIGHT", "DARK"])
def test_the_picture_can_be_read_by_readers_of_light_and_of_dark_pages(palette):
    def luminance(colour):
        parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    colours = dict(zip(DRAWING["NAMES"], DRAWING[palette], strict=True))
    for behind in ("paper", "floor", "room", "folder"):
        light, dark = sorted([luminance(colours["text"]), luminance(colours[behind])], reverse=True)
        assert (light + 0.05) / (dark + 0.05) > 7
    assert f"--text: {colours['text']}" in SVG.read_text("utf-8")


def test_what_each_folder_promises_is_said_and_of_no_room_that_is_not_there():
    rows = re.findall(r"^\| (`[^|]+`) \| \S", PAGE, re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"`([\w/]+)`", row)]
    assert {name.rstrip("/") for name in named if name.endswith("/")} == FOLDERS
    assert {name for name in named if not name.endswith("/")} <= MODULES
