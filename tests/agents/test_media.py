"""What a file is: by its first bytes, then by its name."""

from __future__ import annotations

import pytest

from wf_notebook.agents import media


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"\xff\xd8\xff\xe0", "image/jpeg"),
        (b"GIF89a", "image/gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"MM\x00*", "image/tiff"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (b"\x00\x00\x00\x14ftypqt  ", "video/quicktime"),
        (b"%PDF-1.7", "application/pdf"),
        (b"ID3\x04\x00", "audio/mpeg"),
        (b"OggS\x00", "audio/ogg"),
        (b"PK\x03\x04", None),
        (b"ID3 tags are kept in front", None),
        (b"# Ducks", None),
        (b"", None),
    ],
)
def test_the_first_bytes_say_what_it_is(data, kind):
    assert media.media_type(data) == kind


def test_containers_are_known_by_their_name_too():
    assert media.document_type("a.DOCX", b"PK\x03\x04") == media.DOCUMENTS[".docx"]
    assert media.document_type("a.xls", media.CONTAINERS[1]) == "application/vnd.ms-excel"
    assert media.document_type("a.zip", b"PK\x03\x04") is None
    assert media.document_type("a.docx", b"no container") is None


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ("é".encode(), "é"),
        ("é".encode("utf-8-sig"), "é"),
        ("é".encode("utf-16"), "é"),
        (b"a\tb\r\n\x0c\x1b[0m", "a\tb\r\n\x0c\x1b[0m"),
        ("é".encode("latin-1"), None),
        (b"a\x00b", None),
    ],
)
def test_text_is_what_decodes_and_holds_no_control_characters(data, text):
    assert media.text(data) == text
