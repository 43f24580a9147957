"""Images and files that go along with a message: what reaches the model, and what is refused before it is asked."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from PIL import Image
from pydantic_ai import BinaryContent, DocumentUrl, ImageUrl
from pydantic_ai.models.function import FunctionModel

from wf_notebook import Agent
from wf_notebook.agents.attachments import enclosed
from wf_notebook.errors import ModelFailed, UnsendableFile
from wf_notebook.testing import scripted


def png(size=(2, 3), mode="RGB"):
    buffer = io.BytesIO()
    Image.new(mode, size).save(buffer, format="PNG")
    return buffer.getvalue()


PNG = png()
PDF = b"%PDF-1.7\n"


def asked(**sent):
    """Return what a model was asked with these images and files."""
    model = scripted("ok")
    Agent(model).run("what?", **sent)
    return model.requests[0].messages[-1]["content"]


def test_an_image_goes_after_the_message_from_wherever_it_comes(working_directory):
    Path("duck.png").write_bytes(PNG)
    sent = {"media_type": "image/png", "bytes": len(PNG), "name": "duck.png"}
    for image in ("duck.png", Path("duck.png"), working_directory / "duck.png", open("duck.png", "rb")):  # noqa: SIM115, PTH123 - as a user may give it
        assert asked(images=[image]) == ["what?", sent]
        if hasattr(image, "close"):
            image.close()
    link = "data:image/png;base64," + base64.b64encode(PNG).decode()
    for image in (PNG, bytearray(PNG), memoryview(PNG), io.BytesIO(PNG), link, BinaryContent(PNG, media_type="image/png")):
        text, part = asked(images=image)
        assert (text, part["media_type"], part["bytes"]) == ("what?", "image/png", len(PNG))


def test_the_home_folder_may_be_named(monkeypatch, working_directory):
    monkeypatch.setenv("HOME", str(working_directory))
    Path("duck.png").write_bytes(PNG)
    assert asked(images="~/duck.png")[1]["name"] == "duck.png"


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "CMYK", "F", "YCbCr"])
def test_a_pil_image_goes_as_png_in_any_mode(mode):
    (attachment,) = enclosed(images=Image.new(mode, (2, 3)))
    assert attachment.media_type == "image/png"
    assert Image.open(io.BytesIO(attachment.data)).size == (2, 3)


def test_a_figure_and_axes_go_as_png():
    figure = Figure(figsize=(1, 2), dpi=50)
    axes = figure.subplots()
    for given in (figure, axes):
        (attachment,) = enclosed(images=[given])
        assert Image.open(io.BytesIO(attachment.data)).size == (50, 100)


def test_a_figure_is_read_when_the_call_is_made_not_when_its_stream_is_read():
    model, image = scripted("ok"), Image.new("RGB", (2, 3))
    stream = Agent(model).run("what?", images=image, stream=True)
    image.paste("red", (0, 0, 2, 3))
    list(stream)
    assert model.requests[0].messages[-1]["content"][1]["bytes"] == len(PNG)


def test_links_go_as_links():
    assert asked(images="https://example.org/duck.png?width=5") == ["what?", {"url": "https://example.org/duck.png?width=5"}]
    assert asked(files=["HTTPS://example.org/a.pdf"])[1] == {"url": "HTTPS://example.org/a.pdf"}
    assert asked(images="https://example.org/ducks/5")[1] == {"url": "https://example.org/ducks/5"}
    assert asked(files=DocumentUrl("https://example.org/a", media_type="application/pdf"))[1]["url"] == "https://example.org/a"


def test_a_link_reaches_the_model_as_what_it_leads_to():
    seen = []

    def answer(messages, _):
        seen.extend(messages[-1].parts[-1].content[1:])
        raise ValueError("enough")

    with pytest.raises(ModelFailed):
        Agent(FunctionModel(answer)).run("?", images="https://e.org/x", files=["https://e.org/a.pdf", "https://e.org/a.mp3"])
    assert [type(part).__name__ for part in seen if not isinstance(part, str)] == ["ImageUrl", "DocumentUrl", "AudioUrl"]


def test_several_files_are_named_so_that_the_message_can_speak_of_them():
    for name in ("a.png", "b.png"):
        Path(name).write_bytes(PNG)
    Path("c.pdf").write_bytes(PDF)
    content = asked(images=["a.png", "b.png"], files=("c.pdf",))
    assert [part if isinstance(part, str) else part["media_type"] for part in content] == [
        *("what?", "a.png:", "image/png", "b.png:", "image/png", "c.pdf:", "application/pdf")
    ]


def test_text_goes_as_text_before_the_message():
    Path("notes.md").write_text("# Ducks\n")
    Path("data.csv").write_bytes("é,b\n1,2\n".encode("utf-8-sig"))
    Path("app.ts").write_text("let x = 1")
    Path("Makefile").write_text("all:\n")
    Path("chart.svg").write_text("<svg/>")
    assert asked(files=["notes.md", "data.csv"]) == (
        '<file name="notes.md">\n# Ducks\n</file>\n\n<file name="data.csv">\né,b\n1,2\n</file>\n\nwhat?'
    )
    assert asked(files=["app.ts", "Makefile", "chart.svg"]).count("</file>") == 3
    assert asked(files=b'{"a": 1}') == '<file>\n{"a": 1}\n</file>\n\nwhat?'
    assert asked(files=io.StringIO("said")) == "<file>\nsaid\n</file>\n\nwhat?"
    Path("a.png").write_bytes(PNG)
    assert asked(files=["notes.md"], images="a.png")[0] == '<file name="notes.md">\n# Ducks\n</file>\n\nwhat?'


def test_a_message_is_not_needed():
    model = scripted("ok", "ok")
    agent = Agent(model, instructions="Say what you see.")
    agent.run(images=PNG)
    agent.run(files=b"text")
    assert [type(request.messages[-1]["content"]) for request in model.requests] == [list, str]


def test_the_beginning_of_a_file_counts_more_than_its_name():
    Path("duck.jpg").write_bytes(PNG)
    assert asked(images="duck.jpg")[1]["media_type"] == "image/png"
    Path("report.docx").write_bytes(b"PK\x03\x04...")
    assert asked(files="report.docx")[1]["media_type"].endswith("wordprocessingml.document")


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"images": "gone.png"}, "there is no file 'gone.png' in "),
        ({"files": Path("folder")}, "'folder' is a folder; give the files in it"),
        ({"files": "x" * 5000}, " cannot be read: File name too long"),
        ({"files": "empty.txt"}, "'empty.txt' is empty"),
        ({"images": b""}, "a file that was to be sent along is empty"),
        ({"images": BinaryContent(b"", media_type="image/png")}, "a file that was to be sent along is empty"),
        ({"files": "large.bin"}, "'large.bin' has 20.0 MB, and 20 MB is the most that is sent along; send a smaller one"),
        ({"files": io.BytesIO(b"x" * 20_000_001)}, "the file of 20,000,001 bytes has 20.0 MB, and 20 MB is the most"),
        ({"images": "page.png"}, "'page.png' does not begin as image/png does; is it whole?"),
        ({"files": "page.pdf"}, "'page.pdf' does not begin as application/pdf does; is it whole?"),
        ({"files": "old.csv"}, "'old.csv' is not UTF-8 text; read it by its encoding, and put it into the message"),
        ({"files": "a.zip"}, "'a.zip' is of an unknown type; images, PDF,"),
        ({"files": b"\x00\x01"}, "the file of 2 bytes is of an unknown type"),
        ({"images": "notes.md"}, "'notes.md' is text/plain, not an image; send it along by files="),
        ({"images": b"%PDF-1"}, "a file of type application/pdf is application/pdf, not an image; send it along by files="),
        ({"images": "data:image/png;base64,AAA"}, "'data:image/png;base64,AAA'… is no valid base64; is it whole?"),
        ({"files": [3]}, "a value of type 'int' cannot be sent along; give a path, a URL, bytes, a figure, a PIL image"),
    ],
)
def test_what_cannot_be_sent_is_refused_in_one_line_and_nothing_is_asked(sent, message):
    Path("folder").mkdir()
    Path("empty.txt").touch()
    with Path("large.bin").open("wb") as large:
        large.truncate(20_000_001)
    for name in ("page.png", "page.pdf"):
        Path(name).write_text("<html>Not found</html>")
    Path("old.csv").write_bytes("é,b".encode("latin-1"))
    Path("a.zip").write_bytes(b"PK\x03\x04\x00")
    Path("notes.md").write_text("# Ducks")
    model = scripted("ok")
    with pytest.raises(UnsendableFile) as refused:
        Agent(model).run("what?", **sent)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)
    assert model.requests == []


@pytest.mark.parametrize(
    ("profile", "sent", "message"),
    [
        ({"supports_image_input": False}, {"images": PNG}, "the model takes no images, and a file of type image/png was to be"),
        ({"supports_image_input": False}, {"images": "https://e.org/a"}, "the model takes no images, and 'a' was to be"),
        (
            {"supports_document_input": False},
            {"files": "a.pdf"},
            "the model takes no documents, and 'a.pdf' was to be sent along",
        ),
        (
            {"supported_document_media_types": frozenset({"text/plain"})},
            {"files": PDF},
            "the model takes no documents of type application/pdf",
        ),
        ({"supports_audio_file_input": False}, {"files": b"OggS\x00"}, "the model takes no sound"),
        ({"supports_video_input": False}, {"files": b"\x1aE\xdf\xa3"}, "the model takes no video"),
        (
            {},
            {"files": "https://e.org/a?b"},
            "'https://e.org/a?b' does not say what it leads to; give its bytes, or pydantic-ai's",
        ),
    ],
)
def test_what_the_model_is_known_not_to_take_is_said_before_it_is_asked(profile, sent, message):
    Path("a.pdf").write_bytes(PDF)
    asked = []
    model = FunctionModel(lambda messages, _: asked.append(messages), profile=profile, model_name="blind")
    with pytest.raises(UnsendableFile, match=r"agent 'reader' on 'blind': |does not say") as refused:
        Agent(model, name="reader").run("what?", **sent)
    assert message in str(refused.value)
    assert asked == []


def test_a_text_reaches_a_model_that_takes_nothing_else():
    model = scripted("ok")
    model._profile = dict.fromkeys(("supports_image_input", "supports_document_input"), False)
    Agent(model).run("what?", files=b"text")
    assert model.requests[0].message == "<file>\ntext\n</file>\n\nwhat?"


@pytest.mark.model
def test_the_model_in_the_box_reads_text_and_says_that_it_sees_nothing(local_model):
    agent = Agent(local_model, name="reader", model_settings={"max_tokens": 20})
    assert agent.run("What is this about?", files=b"Ducks are birds.").content
    with pytest.raises(UnsendableFile, match="agent 'reader' on 'local:smollm2': the model takes no images"):
        agent.run("What is this?", images=PNG)


def test_they_go_along_in_async_code_and_in_streams():
    model = scripted(*["ok"] * 3)
    agent = Agent(model)

    async def calls():
        await agent.arun("what?", images=PNG)
        async for _ in agent.arun("what?", images=PNG, stream=True):
            pass

    asyncio.run(calls())
    list(agent.run("what?", images=PNG, stream=True))
    assert [request.messages[-1]["content"][1]["bytes"] for request in model.requests] == [len(PNG)] * 3


def test_they_are_in_the_messages_by_what_they_are_without_their_bytes():
    response = Agent(scripted("ok")).run("what?", images=PNG, files=ImageUrl("https://e.org/a.png"))
    text, image, link = response.messages[0]["content"]
    assert (text, sorted(image), sorted(link)) == ("what?", ["bytes", "media_type", "name"], ["url"])
    assert len(response.to_json()) < 2000


def test_they_are_sent_again_with_the_history():
    model = scripted("one", "two")
    agent = Agent(model, add_history_to_messages=True)
    agent.run("what?", images=PNG)
    agent.run("and now?")
    assert model.requests[1].messages[0]["content"][1]["bytes"] == len(PNG)


def test_a_provider_is_sent_the_image_itself(provider):
    provider.answer = lambda handler: handler.refuse(400, "this model has no eyes", code="invalid_request")
    refusal = r"this model has no eyes.*; a file of type image/png went along, which not every model and provider takes$"
    with pytest.raises(ModelFailed, match=refusal):
        Agent(provider.model(), name="reader").run("what?", images=PNG)
    text, image = provider.requests[0][1]["messages"][-1]["content"]
    assert text == {"type": "text", "text": "what?"}
    assert image["image_url"]["url"] == "data:image/png;base64," + base64.b64encode(PNG).decode()


def test_what_cannot_be_said_in_the_providers_language_is_said_before_it_is_asked(provider):
    with pytest.raises(UnsendableFile, match=r"the model takes no video, and 'duck\.mp4' was to be sent along"):
        Agent(provider.model()).run("what?", files="https://example.org/duck.mp4")
    assert provider.requests == []


def test_a_provider_is_sent_texts_as_one_text(provider):
    provider.answer = lambda handler: handler.refuse(400, "enough")
    with pytest.raises(ModelFailed):
        Agent(provider.model()).run("what?", files=[b"one", b"two"])
    assert json.loads(json.dumps(provider.requests[0][1]["messages"][-1]["content"])).count("<file>") == 2


def test_neither_matplotlib_nor_pil_is_loaded_for_it():
    code = (
        "import sys; from wf_notebook import Agent; from wf_notebook.testing import scripted\n"
        "Agent(scripted('ok')).run('?', files=b'text')\n"
        "print([name for name in ('matplotlib', 'PIL') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
