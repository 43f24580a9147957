from __future__ import annotations

import gc
import re
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from IPython import display
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from PIL import Image
from pydantic import BaseModel, ConfigDict

from wf_notebook import RunEvent, RunResponse, Workflow, open_storage
from wf_notebook.render import Layout, Said, content_html, content_text, run_bundle
from wf_notebook.render.pictures import LARGEST, picture_html


def pictures(html):
    """Return what the images of HTML hold, by their type."""
    return [
        (kind, b64decode(data))
        for kind, data in re.findall(r'<img src="data:image/([a-z+]+);base64,([A-Za-z0-9+/=]+)"', html or "")
    ]


def png(size=(4, 3), mode="RGB"):
    saved = BytesIO()
    Image.new(mode, size).save(saved, format="PNG")
    return saved.getvalue()


class Shows:
    """Shows itself in the ways that it is given."""

    def __init__(self, **ways):
        self.__class__ = type("Shows", (), {name: lambda _, said=said: said for name, said in ways.items()})


def test_a_figure_shows_as_a_picture_with_its_title_and_stays_as_it_was():
    figure = Figure(figsize=(2, 1))
    figure.subplots().set_title("<Cats>")
    before = figure.dpi, figure.canvas, figure.get_size_inches().tolist(), figure.get_facecolor()
    html = picture_html(figure)
    ((kind, data),) = pictures(html)
    assert (kind, data[:4]) == ("png", b"\x89PNG")
    assert 'alt="&lt;Cats&gt;"' in html
    assert before == (figure.dpi, figure.canvas, figure.get_size_inches().tolist(), figure.get_facecolor())


def test_a_figure_of_pyplot_is_not_closed():
    figure = plt.figure()
    picture_html(figure)
    assert plt.fignum_exists(figure.number)
    plt.close(figure)
    gc.collect()


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "F", "I;16"])
def test_an_image_shows_as_a_picture(mode):
    ((kind, data),) = pictures(picture_html(Image.new(mode, (4, 3))))
    assert (kind, Image.open(BytesIO(data)).size) == ("png", (4, 3))


@pytest.mark.parametrize(("form", "kind"), [("PNG", "png"), ("JPEG", "jpeg"), ("GIF", "gif"), ("WEBP", "webp")])
def test_bytes_of_a_picture_show_as_it(form, kind):
    saved = BytesIO()
    Image.new("RGB", (4, 3)).save(saved, format=form)
    for data in (saved.getvalue(), bytearray(saved.getvalue()), memoryview(saved.getvalue())):
        assert pictures(picture_html(data)) == [(kind, saved.getvalue())]


@pytest.mark.parametrize("value", [b"", b"text", b"<svg onload=alert(1)>", "text", {"a": 1}, [1], None, 1, {1}, object()])
def test_what_is_no_picture_is_shown_as_before(value):
    assert picture_html(value) is None


def test_a_large_picture_is_made_smaller_or_named():
    noise = Image.frombytes("RGB", (1000, 1000), np.random.default_rng(0).bytes(3_000_000))
    large = BytesIO()
    noise.resize((1500, 1500)).save(large, format="PNG")
    assert "… a picture of" in picture_html(large.getvalue())
    smooth = BytesIO()
    Image.linear_gradient("L").resize((2400, 2400)).save(smooth, format="PNG", compress_level=0)
    assert len(smooth.getvalue()) > LARGEST
    ((_, data),) = pictures(picture_html(smooth.getvalue()))
    assert Image.open(BytesIO(data)).size == (1200, 1200)
    assert "… a drawing of 2.0 MB" in picture_html(Shows(_repr_svg_="<svg>" + " " * LARGEST))


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": range(100), "<b>": ["<i>x</i>"] * 100}),
        pl.DataFrame({"a": range(100), "<b>": ["<i>x</i>"] * 100}),
        pa.table({"a": range(100), "<b>": ["<i>x</i>"] * 100}),
        pa.table({"a": range(100), "<b>": ["<i>x</i>"] * 100}).to_batches()[0],
    ],
    ids=["pandas", "polars", "arrow", "batch"],
)
def test_a_frame_shows_its_first_rows_and_its_shape(frame):
    html = picture_html(frame)
    assert html.count("<tr>") == 21
    assert "100 rows × 2 columns, the first 20 rows shown" in html
    assert "&lt;b&gt;" in html
    assert "&lt;i&gt;x&lt;/i&gt;" in html
    assert "<i>" not in html


def test_frames_of_odd_shapes_show_too():
    assert "3 rows × 1 columns" in picture_html(pd.Series([1, 2, 3], name="n"))
    assert "2 rows × 1 columns" in picture_html(pl.Series("n", [[1], None]))
    assert "0 rows × 0 columns" in picture_html(pd.DataFrame())
    assert "the first 20 columns shown" in picture_html(pd.DataFrame([range(100)]))
    twice = pd.DataFrame([[1, 2]], columns=["a", "a"], index=pd.MultiIndex.from_tuples([("x", 1)]))
    assert "(&#x27;x&#x27;, 1)" in picture_html(twice)


def test_an_array_shows_its_shape_and_what_it_holds():
    assert picture_html(np.zeros((1000, 3))) == "<p>array of float64, shape 1,000 × 3</p>"
    assert content_html(np.float64(1.5)) == "1.5"


def test_a_drawing_shows_as_an_image_in_which_nothing_runs():
    svg = "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
    html = picture_html(Shows(_repr_svg_=svg))
    assert pictures(html) == [("svg+xml", svg.encode())]
    assert "<svg" not in html


def test_html_of_others_is_shown_without_what_runs_or_fetches():
    said = (
        '<style>@import "https://evil.example"</style><script>alert(1)</script><iframe src="https://evil.example"></iframe>'
        '<img src=x onerror=alert(1)><img src="https://evil.example/x.png">'
        '<svg onload=alert(1)><a href="javascript:alert(1)">s</a></svg>'
        '<p id="x" class="jp-Dialog" style="position: fixed; background-color: url(https://evil.example)" onclick="x">text</p>'
        '<a href="javascript:alert(1)">a</a><a href="https://example.org">b</a>'
        '<table class="dataframe x"><tr><td colspan=2>1</table>'
        '<form action="https://evil.example"><input name=x><button>send</button></form><meta http-equiv=refresh content="0">'
    )
    html = picture_html(Shows(_repr_html_=said))
    assert html == (
        '<img><img><p>text</p><a target="_blank" rel="noopener noreferrer">a</a>'
        '<a href="https://example.org" target="_blank" rel="noopener noreferrer">b</a>'
        '<table class="dataframe"><tbody><tr><td colspan="2">1</td></tr></tbody></table>send'
    )


def test_html_that_lies_too_deep_is_not_looked_at():
    assert picture_html(Shows(_repr_html_="<div>" * 100_000 + "x")) is None
    assert picture_html(Shows(_repr_html_="<br><p>x</p>" * 10_000)).count("<p>") == 10_000


def test_what_says_nothing_that_may_be_shown_is_shown_as_text():
    plot = Shows(_repr_html_="<div id='plot'></div><script>draw()</script>")
    assert picture_html(plot) is None
    assert "Shows object" in content_html(plot)


def test_a_value_may_say_several_things_and_the_best_is_shown():
    bundle = {"text/plain": "x", "text/html": "<b>x</b>", "image/png": png()}
    assert pictures(picture_html(Shows(_repr_mimebundle_=bundle))) == [("png", png())]
    assert pictures(picture_html(Shows(_repr_png_=(png(), {"width": 3})))) == [("png", png())]
    assert picture_html(Shows(_repr_mimebundle_=({"text/html": "<b>x</b>"}, {}))) == "<b>x</b>"
    assert picture_html(Shows(_repr_markdown_="*x* <script>")) == "<p><em>x</em> &lt;script&gt;</p>\n"


def test_what_ipython_displays_shows_as_there():
    assert pictures(picture_html(display.Image(data=png()))) == [("png", png())]
    assert pictures(picture_html(display.SVG(data="<svg/>"))) == [("svg+xml", b"<svg/>")]
    assert picture_html(display.HTML("<b>x</b><script>y</script>")) == "<b>x</b>"
    assert picture_html(display.Markdown("*x*")) == "<p><em>x</em></p>\n"
    assert picture_html(display.Image(url="https://evil.example/x.png")) is None


def test_a_value_that_fails_to_show_itself_is_shown_as_text():
    class Fails:
        def _repr_html_(self):
            raise ValueError("no")

        def __repr__(self):
            return "<fails>"

    assert content_html(Fails()) == "&lt;fails&gt;"


class Report(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)
    title: str
    plot: Image.Image


def test_pictures_show_wherever_a_value_is():
    image = Image.new("RGB", (4, 3))
    for value in (image, {"plot": image}, [image], Report(title="t", plot=image), {"a": [{"b": image}]}):
        assert len(pictures(content_html(value))) == 1
        assert "PIL.Image.Image" in content_text(value)


def test_secrets_are_redacted_in_them_too(monkeypatch):
    monkeypatch.setenv("DEMO_API_KEY", "sk-very-secret-1234")
    frame = pd.DataFrame({"sk-very-secret-1234": ["the key is sk-very-secret-1234"]})
    shown = [
        content_html(value) for value in (frame, Shows(_repr_html_="<b title='sk-very-secret-1234'>sk-very-secret-1234</b>"))
    ]
    assert "very-secret" not in "".join(shown)
    assert ["&lt;redacted DEMO_API_KEY&gt;" in html for html in shown] == [True, True]


def test_in_text_a_picture_is_called_what_it_is():
    assert content_text(png()) == f"<png, {len(png())} bytes>"
    large = png() + bytes(1000)
    assert content_text({"plot": large, "data": b"\x00"}) == (
        f'{{\n  "plot": "<{len(large):,} bytes>",\n  "data": "b\'\\\\x00\'"\n}}'
    )


# -- the images of a response --------------------------------------------------------------------------------------------------


class Plotter(Workflow):
    def run(self, images):
        yield RunResponse("Look:", images=images)
        yield RunResponse("Look:", images=images, event=RunEvent.workflow_completed)


class Attached(BaseModel):
    """What Agno and pydantic-ai have for an image."""

    model_config = ConfigDict(arbitrary_types_allowed=True)
    url: str | None = None
    data: bytes | None = None


def test_the_images_of_a_response_are_shown_after_its_text_in_the_record():
    plotter = Plotter()
    plotter.run([png(), Image.new("RGB", (2, 2)), Attached(data=png((5, 5)))]).result()
    html = run_bundle(plotter.last_run)["text/html"]
    assert [kind for kind, _ in pictures(html)] == ["png", "png", "png"]
    assert html.index("Look:") < html.index("<img")


def test_the_images_of_a_response_are_shown_live():
    said, layout = Said(), Layout()
    for content in said(RunResponse("Look:", images=[png()])):
        layout.add(content)
    assert pictures(layout.changes()["page_0"]) == [("png", png())]


def test_a_response_by_itself_shows_its_images():
    assert pictures(RunResponse(images=[png()])._repr_mimebundle_()["text/html"]) == [("png", png())]
    assert RunResponse("Look:", images=["a.png"])._repr_mimebundle_()["text/plain"] == "Look:\n\na.png"


@pytest.mark.parametrize("image", ["https://example.org/<a>.png", Attached(url="https://example.org/<a>.png")])
def test_an_image_that_lies_elsewhere_is_named_and_never_fetched(image):
    plotter = Plotter()
    plotter.run([image]).result()
    html = run_bundle(plotter.last_run)["text/html"]
    assert "https://example.org/&lt;a&gt;.png" in html
    assert "<img" not in html


def test_an_image_written_as_data_is_shown():
    data = "data:image/png;base64," + b64encode(png()).decode()
    assert pictures(RunResponse(images=[data])._repr_mimebundle_()["text/html"]) == [("png", png())]
    assert "<img" not in RunResponse(images=["data:image/png;base64,PHNjcmlwdD4="])._repr_mimebundle_()["text/html"]


def test_a_stored_run_says_which_images_it_gave(tmp_path):
    address = f"duckdb:///{tmp_path / 'runs.duckdb'}"
    plotter = Plotter(storage=address)
    plotter.run(["https://example.org/a.png", bytes(500)]).result()
    fresh = run_bundle(plotter.last_run)["text/plain"]
    assert "https://example.org/a.png\n<500 bytes>" in fresh
    assert run_bundle(open_storage(address).run(plotter.last_run.run_id))["text/plain"] == fresh


def test_a_figure_that_is_drawn_live_and_for_the_record_at_once_is_whole_in_both():
    figure = Figure(figsize=(3, 2))
    figure.subplots().plot([1, 2, 3])
    whole = picture_html(figure)
    with ThreadPoolExecutor(4) as threads:
        drawn = list(threads.map(picture_html, [figure] * 12))
    assert [each == whole for each in drawn] == [True] * 12
