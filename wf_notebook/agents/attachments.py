"""What is sent along with a message: images and files, read and known before anything is asked of a model.

pydantic-ai is not loaded for this; `parts` makes its message of it.
"""

from __future__ import annotations

import base64
import os
import re
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import UnsendableFile
from . import media

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: The largest file that is sent along, in bytes: providers take about as much in one request.
LIMIT = 20_000_000

#: What PIL can write as PNG as it is.
PNG_MODES = {"1", "L", "LA", "I", "P", "RGB", "RGBA"}

_URL = re.compile(r"https?://", re.IGNORECASE)
_DATA = re.compile(r"data:[^,]*;base64,", re.IGNORECASE)


@dataclass(frozen=True)
class Attachment:
    """One thing sent along: a text, or bytes of a media type, or a URL, or what pydantic-ai made itself (`part`)."""

    name: str | None
    media_type: str | None = None
    text: str | None = None
    data: bytes = b""
    url: str | None = None
    part: Any = None

    @property
    def label(self) -> str:
        """How errors name it."""
        return repr(self.name) if self.name else f"a file of type {self.media_type}"


def enclosed(images: Any = None, files: Any = None) -> tuple[Attachment, ...]:
    """Return what is to be sent along, images first.

    Args:
        images: Images: paths, URLs (`https:`, `data:`), bytes, open files, matplotlib figures or axes, PIL images, what
            pydantic-ai makes (`BinaryContent`, `ImageUrl`); one, or several in a list or tuple.
        files: The same, of any kind: documents, sound, video, and anything that is text.

    Raises:
        UnsendableFile: One is missing, empty, larger than 20 MB, of an unknown type, or no image among the images.

    >>> [attachment.name for attachment in enclosed(images="https://example.org/duck.png")]
    ['duck.png']
    """
    sent = [_image(_read(item)) for item in _several(images)]
    return (*sent, *(_read(item) for item in _several(files)))


def _several(given: Any) -> Iterable[Any]:
    return () if given is None else given if isinstance(given, (list, tuple)) else (given,)


def _image(read: Attachment) -> Attachment:
    """An image, or a link that may lead to one."""
    if read.media_type is None and read.url is not None:
        return replace(read, media_type="image/")
    if not (read.media_type or "").startswith("image/") or read.text is not None:
        raise UnsendableFile(f"{read.label} is {read.media_type}, not an image; send it along by files=")
    return read


def _read(item: Any) -> Attachment:
    """Read one thing that is to be sent along, whatever it is given as."""
    for read in (_link, _file, _drawn, _made):
        found = read(item)
        if found is not None:
            return found
    raise UnsendableFile(
        f"a value of type {type(item).__name__!r} cannot be sent along;"
        " give a path, a URL, bytes, a figure, a PIL image, or BinaryContent"
    )


def _link(item: Any) -> Attachment | None:
    if not isinstance(item, str):
        return None
    if _DATA.match(item):
        head, _, body = item.partition(",")
        kind = head[5:].partition(";")[0] or None
        try:
            return known(None, base64.b64decode(body, validate=True), kind)
        except ValueError:
            raise UnsendableFile(f"{item[:40]!r}… is no valid base64; is it whole?") from None
    if not _URL.match(item):
        return None
    name = item.partition("?")[0].partition("#")[0].rpartition("/")[2]
    return Attachment(name or item, media.named_type(name), url=item)


def _file(item: Any) -> Attachment | None:
    """A path, bytes, or an open file."""
    if isinstance(item, (str, os.PathLike)):
        return _on_disk(Path(item))
    if isinstance(item, (bytes, bytearray, memoryview)):
        return known(None, bytes(item))
    if hasattr(item, "read"):
        name, data = getattr(item, "name", None), item.read(LIMIT + 1)
        return known(Path(name).name if isinstance(name, str) else None, data.encode() if isinstance(data, str) else data)
    return None


def _on_disk(path: Path) -> Attachment:
    path = path.expanduser()
    try:
        if path.is_dir():
            raise UnsendableFile(f"{str(path)!r} is a folder; give the files in it")
        if (size := path.stat().st_size) > LIMIT:
            raise _too_large(repr(path.name), size)
        data = path.read_bytes()
    except FileNotFoundError:
        raise UnsendableFile(f"there is no file {str(path)!r} in {str(Path.cwd())!r}") from None
    except OSError as error:
        raise UnsendableFile(f"{str(path)[:200]!r} cannot be read: {error.strerror}") from None
    return known(path.name, data)


def _drawn(item: Any) -> Attachment | None:
    """A matplotlib figure (or axes, as pandas and seaborn give them), or a PIL image; as PNG."""
    figure = getattr(item, "figure", item)
    buffer = BytesIO()
    if hasattr(figure, "savefig"):
        figure.savefig(buffer, format="png")
    elif hasattr(item, "save") and hasattr(item, "mode"):
        (item if item.mode in PNG_MODES else item.convert("RGB")).save(buffer, format="PNG")
    else:
        return None
    return known(None, buffer.getvalue(), "image/png")


def _made(item: Any) -> Attachment | None:
    """What pydantic-ai made: bytes, or a URL, with a media type."""
    if type(item).__module__.partition(".")[0] != "pydantic_ai":
        return None
    data, url = getattr(item, "data", None), getattr(item, "url", None)
    if isinstance(data, bytes):
        _check(None, data)
    try:
        kind = item.media_type
    except (AttributeError, ValueError):  # a URL may not say what it leads to
        kind = None
    return Attachment(None, kind, url=url, part=item)


def known(name: str | None, data: bytes, kind: str | None = None) -> Attachment:
    """Return bytes as what they are: by their beginning, else by what is said of them; what is text is sent as text.

    >>> known("notes.md", b"# Ducks").text
    '# Ducks'
    """
    label, called = _check(name, data), name or ""
    found = media.media_type(data) or media.document_type(called, data)
    if found is not None:
        return Attachment(name, found, data=data)
    expected = kind or media.named_type(called) or ""
    if expected in media.ALWAYS_BEGIN:
        raise UnsendableFile(f"{label} does not begin as {expected} does; is it whole?")
    text = media.text(data)
    if text is not None:
        return Attachment(name, kind or "text/plain", text=text)
    if expected.startswith(("image/", "audio/", "video/")):
        return Attachment(name, expected, data=data)
    if expected.startswith("text/"):
        raise UnsendableFile(f"{label} is not UTF-8 text; read it by its encoding, and put it into the message")
    raise UnsendableFile(f"{label} is of an unknown type; images, PDF, Office documents, sound, video and text can be sent along")


def _check(name: str | None, data: bytes) -> str:
    """Return how errors name this; refuse what is empty or too large."""
    label = repr(name) if name else f"the file of {len(data):,} bytes"
    if not data:
        raise UnsendableFile(f"{repr(name) if name else 'a file that was to be sent along'} is empty")
    if len(data) > LIMIT:
        raise _too_large(label, len(data))
    return label


def _too_large(label: str, size: int) -> UnsendableFile:
    return UnsendableFile(
        f"{label} has {size / 1e6:.1f} MB, and {LIMIT / 1e6:.0f} MB is the most that is sent along; send a smaller one, or a part"
    )


def texts(sent: Iterable[Attachment]) -> Iterator[str]:
    """Give the texts among what is sent along, each under its name."""
    for attachment in sent:
        if attachment.text is not None:
            name = f' name="{attachment.name}"' if attachment.name else ""
            yield f"<file{name}>\n{attachment.text.rstrip()}\n</file>"
