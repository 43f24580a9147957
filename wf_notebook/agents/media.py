"""What a file is: by its first bytes, which do not lie, then by its name."""

from __future__ import annotations

import codecs
import mimetypes
import re
from pathlib import PurePath

#: How files begin; the first that fits.
BEGINNINGS: tuple[tuple[re.Pattern[bytes], str], ...] = tuple(
    (re.compile(begins, re.DOTALL), media_type)
    for begins, media_type in (
        (rb"\x89PNG\r\n\x1a\n", "image/png"),
        (rb"\xff\xd8\xff", "image/jpeg"),
        (rb"GIF8[79]a", "image/gif"),
        (rb"RIFF....WEBP", "image/webp"),
        (rb"RIFF....WAVE", "audio/wav"),
        (rb"II\*\x00|MM\x00\*", "image/tiff"),
        (rb"BM....\x00\x00\x00\x00", "image/bmp"),
        (rb"\x00...ftyp(heic|heix|mif1)", "image/heic"),
        (rb"\x00...ftypavi[fs]", "image/avif"),
        (rb"\x00...ftypM4A", "audio/aac"),
        (rb"\x00...ftypqt", "video/quicktime"),
        (rb"\x00...ftyp", "video/mp4"),
        (rb"\x1aE\xdf\xa3", "video/webm"),
        (rb"%PDF-", "application/pdf"),
        (rb"ID3[\x02-\x04]|\xff[\xf2\xf3\xfb]", "audio/mpeg"),
        (rb"OggS", "audio/ogg"),
        (rb"fLaC\x00", "audio/flac"),
    )
)

#: Containers, whose contents only the name tells: Office's new and old files.
CONTAINERS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1")

_OFFICE = "application/vnd.openxmlformats-officedocument."
#: Documents in containers, by suffix. (What `mimetypes` knows depends on the machine.)
DOCUMENTS = {
    ".docx": f"{_OFFICE}wordprocessingml.document",
    ".xlsx": f"{_OFFICE}spreadsheetml.sheet",
    ".pptx": f"{_OFFICE}presentationml.presentation",
    ".doc": "application/msword",
    ".xls": "application/vnd.ms-excel",
    ".ppt": "application/vnd.ms-powerpoint",
}

#: What always begins in one way: where it does not, it is no such file, whatever its name says (a page that reports an error).
ALWAYS_BEGIN = ("image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf")

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))

#: What no text holds, but tabs, line ends, form feeds and escapes.
CONTROL = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f]")


def media_type(data: bytes) -> str | None:
    r"""Return what the first bytes say, or None where they say nothing.

    >>> media_type(b"\x89PNG\r\n\x1a\n..."), media_type(b"a,b\n1,2\n")
    ('image/png', None)
    """
    return next((kind for begins, kind in BEGINNINGS if begins.match(data)), None)


def named_type(name: str) -> str | None:
    """Return what a name says, or None.

    >>> named_type("chart.PNG"), named_type("report.docx").rpartition(".")[2], named_type("Makefile")
    ('image/png', 'document', None)
    """
    name = name.lower()
    return DOCUMENTS.get(PurePath(name).suffix) or mimetypes.guess_type(name, strict=False)[0]


def document_type(name: str, data: bytes) -> str | None:
    """Return which of Office's documents this is, or None."""
    return DOCUMENTS.get(PurePath(name.lower()).suffix) if data.startswith(CONTAINERS) else None


def text(data: bytes) -> str | None:
    r"""Return bytes as text, or None where they are none: UTF-8, or UTF-16 that says so.

    >>> text("é".encode()), text(b"\xe9"), text(b"a\x00b")
    ('é', None, None)
    """
    encoding = next((encoding for bom, encoding in BOMS if data.startswith(bom)), "utf-8")
    try:
        decoded = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if CONTROL.search(decoded) else decoded
