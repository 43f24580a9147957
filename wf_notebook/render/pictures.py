"""A value that has a rich display, as itself: plots, images, dataframes, and whatever says how it is shown in a notebook."""

from __future__ import annotations

import re
import threading
from base64 import b64decode, b64encode
from html import escape
from io import BytesIO
from typing import TYPE_CHECKING, Any

from .grid import grid_html, is_grid
from .markdown import markdown_html
from .safe import safe_html

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A picture larger than this, in bytes, is made smaller, or only named.
LARGEST = 2_000_000
#: So wide and high is a picture that was made smaller, in pixels.
SMALLER = 1200
#: How pictures begin.
BEGINNINGS = (
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "png"),
    (re.compile(rb"\xff\xd8\xff"), "jpeg"),
    (re.compile(rb"GIF8[79]a"), "gif"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "webp"),
)
#: Where an object that is an image, Agno's or pydantic-ai's, has its bytes, and where it says from where they can be had.
_INSIDE, _PLACES = ("content", "data"), ("url", "filepath", "path")
_DATA = re.compile("data:image/[a-z]+;base64,")
#: What a value may say of itself, the best first, and under which name.
DISPLAYS = (
    ("image/png", "_repr_png_"),
    ("image/jpeg", "_repr_jpeg_"),
    ("image/svg+xml", "_repr_svg_"),
    ("text/html", "_repr_html_"),
    ("text/markdown", "_repr_markdown_"),
)

#: A figure is another one while it is drawn, and the live output and the record may draw it at once.
_drawing = threading.Lock()


def picture_html(value: Any) -> str | None:
    """Return a value that has a rich display as safe HTML; None for one that has none, or that fails to show itself."""
    kind = type(value)
    if kind.__module__ == "builtins" and not isinstance(value, (bytes, bytearray, memoryview)):
        return None
    try:
        return _shown(value) or None
    except Exception:  # noqa: BLE001 - how a value shows itself is the user's or a package's; its text is shown then
        return None


def is_picture(value: Any) -> bool:
    r"""Return whether a value may have a rich display, without asking it for that.

    >>> is_picture(b"\x89PNG\r\n\x1a\n"), is_picture(b"text"), is_picture(1.5)
    (True, False, False)
    """
    kind = type(value)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _kind(bytes(value[:16])) is not None
    names = ("savefig", "getbbox", "_repr_mimebundle_", *(name for _, name in DISPLAYS))
    return kind.__module__ != "builtins" and (is_grid(value) or any(hasattr(kind, name) for name in names))


def enclosed(image: Any) -> Any:
    r"""Return what an image of a response is: the picture in it, else, as text, where it is to be found; nothing is fetched.

    >>> enclosed("https://example.org/a.png"), enclosed({"url": "b.png"}), enclosed("data:image/gif;base64,R0lGODlh")
    ('https://example.org/a.png', 'b.png', b'GIF89a')
    """
    if isinstance(image, str):
        found = _DATA.match(image)
        return _decoded(image[found.end() :]) or image if found else image
    if is_picture(image):
        return image
    values = image if isinstance(image, dict) else {name: getattr(image, name, None) for name in (*_INSIDE, *_PLACES)}
    within = next((values[name] for name in _INSIDE if is_picture(values.get(name))), None)
    return within or next((str(values[name]) for name in _PLACES if values.get(name)), None) or image


def _decoded(data: str) -> bytes:
    try:
        return b64decode(data)
    except ValueError:
        return b""


def picture_text(value: Any) -> str | None:
    r"""Return what bytes that are a picture are called in text; None for anything else.

    >>> picture_text(b"\x89PNG\r\n\x1a\n" + bytes(2000))
    '<png, 2,008 bytes>'
    """
    if not isinstance(value, (bytes, bytearray, memoryview)):
        return None
    kind = _kind(bytes(value[:16]))
    return f"<{kind}, {len(value):,} bytes>" if kind else None


def _shown(value: Any) -> str | None:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _image(bytes(value), "")
    room = type(value).__module__.partition(".")[0]
    if room == "matplotlib" and hasattr(value, "savefig"):
        drawn = BytesIO()
        with _drawing:
            value.savefig(drawn, format="png", bbox_inches="tight")
        titles = [axes.get_title() for axes in value.axes if axes.get_title()]
        return _image(drawn.getvalue(), ", ".join(titles) or "figure")
    if room == "PIL" and hasattr(value, "getbbox"):
        return _image(_png(value), "image")
    return grid_html(value) or next(filter(None, _said_by(value)), None)


def _said_by(value: Any) -> Iterator[str | None]:
    """Yield what a value says of how it is shown, the best first."""
    kind = type(value)
    bundle: Any = {}
    if callable(getattr(kind, "_repr_mimebundle_", None)):
        bundle = value._repr_mimebundle_()
        bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    for media_type, name in DISPLAYS:
        said = (bundle or {}).get(media_type)
        if said is None and callable(getattr(kind, name, None)):
            said = getattr(value, name)()
        said = said[0] if isinstance(said, tuple) else said  # with its metadata
        if said:
            yield _as_html(media_type, said, kind.__name__)


def _as_html(media_type: str, said: Any, name: str) -> str | None:
    if media_type == "image/svg+xml":
        return _svg(said if isinstance(said, str) else bytes(said).decode(), name)
    if media_type.startswith("image/"):
        return _image(said if isinstance(said, bytes) else b64decode(said), name)
    if len(said) > LARGEST:
        return None
    return safe_html(said) if media_type == "text/html" else markdown_html(said)


def _image(data: bytes, alt: str) -> str | None:
    """Return bytes that are a picture; what others say that they are does not count."""
    kind = _kind(data)
    if kind is None:
        return None
    if len(data) > LARGEST:
        size = len(data)
        data, kind = _smaller(data), "png"
        if not 0 < len(data) <= LARGEST:
            return f"<p>… a picture of {size / 1e6:.1f} MB, too large to be shown here</p>"
    return _img(f"image/{kind}", data, alt)


def _kind(data: bytes) -> str | None:
    return next((kind for begins, kind in BEGINNINGS if begins.match(data)), None)


def _svg(svg: str, alt: str) -> str:
    """Return a drawing as an image, in which no script runs and nothing is fetched."""
    data = svg.encode()
    if len(data) > LARGEST:
        return f"<p>… a drawing of {len(data) / 1e6:.1f} MB, too large to be shown here</p>"
    return _img("image/svg+xml", data, alt)


def _img(media_type: str, data: bytes, alt: str) -> str:
    source = f"data:{media_type};base64,{b64encode(data).decode()}"
    return f'<img src="{source}" alt="{escape(alt or "picture")}" style="max-width: 100%">'


def _smaller(data: bytes) -> bytes:
    """Return a picture with fewer pixels; nothing where that cannot be done."""
    try:
        from PIL import Image
    except ImportError:
        return b""
    with Image.open(BytesIO(data)) as image:
        image.thumbnail((SMALLER, SMALLER))
        return _png(image)


def _png(image: Any) -> bytes:
    saved = BytesIO()
    (image if image.mode in {"1", "L", "LA", "P", "RGB", "RGBA", "I;16"} else image.convert("RGB")).save(saved, format="PNG")
    return saved.getvalue()
