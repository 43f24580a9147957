"""A message with what is sent along, as pydantic-ai takes it; what the model cannot take is said before it is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic_ai.messages import AudioUrl, BinaryContent, DocumentMediaType, DocumentUrl, ImageUrl, VideoUrl

from ..errors import UnsendableFile
from .attachments import texts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_ai.messages import UserContent

    from .attachments import Attachment
    from .resolve import Resolved

#: By the first half of a media type: the flag of a model's profile that says whether it takes such files, and how one names them.
TAKEN = {
    "image": ("supports_image_input", "images"),
    "audio": ("supports_audio_file_input", "sound"),
    "video": ("supports_video_input", "video"),
}
DOCUMENT = ("supports_document_input", "documents")

#: The documents that a profile may list; of others it only says whether the model takes documents.
KNOWN = frozenset(get_args(DocumentMediaType))

URLS: dict[str, Any] = {"image": ImageUrl, "audio": AudioUrl, "video": VideoUrl}


def user_prompt(message: str | None, sent: Sequence[Attachment], agent: str, model: Resolved) -> str | list[UserContent] | None:
    """Return the message with what is sent along: texts before it, as models read best, the rest after it.

    Raises UnsendableFile for what the model is known not to take.
    """
    if not sent:
        return message
    text = "\n\n".join([*texts(sent), *([message] if message else [])])
    rest = [attachment for attachment in sent if attachment.text is None]
    for attachment in rest:
        _check(attachment, agent, model)
    if not rest:
        return text
    prompt: list[UserContent] = [text] if text else []
    for attachment in rest:
        if len(rest) > 1 and attachment.name:
            prompt.append(f"{attachment.name}:")
        prompt.append(_part(attachment))
    return prompt


def _part(attachment: Attachment) -> Any:
    if attachment.part is not None:
        return attachment.part
    kind = attachment.media_type
    if attachment.url is None:
        return BinaryContent(attachment.data, media_type=kind or "application/octet-stream", identifier=attachment.name)
    return URLS.get((kind or "").partition("/")[0], DocumentUrl)(
        attachment.url, media_type=kind if kind and kind[-1] != "/" else None
    )


def _check(attachment: Attachment, agent: str, model: Resolved) -> None:
    profile: Mapping[str, Any] = model.model.profile
    kind = attachment.media_type or ""
    if not kind and attachment.url is not None and attachment.part is None:
        raise UnsendableFile(
            f"{attachment.url!r} does not say what it leads to; give its bytes, or pydantic-ai's ImageUrl or DocumentUrl"
        )
    flag, what = TAKEN.get(kind.partition("/")[0], DOCUMENT)
    takes = profile.get(flag, True)
    if flag == DOCUMENT[0]:
        listed = profile.get("supported_document_media_types")
        if takes and listed is not None and kind in KNOWN and kind not in listed:
            takes, what = False, f"documents of type {kind}"
    if not takes:
        raise UnsendableFile(
            f"{agent} on {model.name!r}: the model takes no {what}, and {attachment.label} was to be sent along;"
            " choose a model that does, or put what matters into the message as text"
        )
