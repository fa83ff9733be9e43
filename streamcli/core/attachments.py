"""A file that goes along with a message: its name and bytes -> a block.

What a file is, its bytes say, and never its name. Text is looked for before images: "GIF89a is a format" is a text,
although it begins as a GIF does. No library is asked: those that were tried (filetype, puremagic) take that text for an
image, and five signatures are all that the model knows.
"""

import codecs
import itertools
import re
from base64 import b64encode
from collections.abc import Sequence

from streamcli.core.content import Block, Content, Document, Image, Text, as_text
from streamcli.core.models import DEFAULT_MODEL, is_embedded
from streamcli.core.prompt import sendable
from streamcli.core.sanitize import one_line
from streamcli.core.signatures import image_type, is_pdf, looks_like
from streamcli.errors import InputError

# Characters of a name that are sent. The API bounds titles too, and no file's name is longer, though a path may be.
MAX_NAME = 255
_TAKEN = "it takes text in UTF-8, JPEG, PNG, GIF and WebP images, and PDF"
# What could end the attribute that a name is, or the tag that it stands in.
_HARMFUL = {ord(sign): f"\\x{ord(sign):02x}" for sign in '"<>'}
_CLOSING_TAG = re.compile(r"</\s*(file(?:-[0-9]+)?)\b", re.IGNORECASE)
_OPENING_TAG = re.compile(r'<file(?:-[0-9]+)? name="([^"]*)">\n')
_BLANK = re.compile(r"<[^>]*>\s*<[^>]*>")


def attachment(path: str, data: bytes) -> Block:
    """The block for a file. Raises InputError for one that the model does not take."""
    name = shown_name(path)
    if is_pdf(data):
        return Document(name, "application/pdf", _in_base64(data))
    text = _decoded(data)
    if text is not None:
        return Text(_in_tags(name, text))
    if media_type := image_type(data):
        return Image(name, media_type, _in_base64(data))
    raise _refusal(sendable(path), data)


def with_attachments(blocks: Sequence[Block], message: str) -> Content:
    """The files, in their order, and then the words about them: what the model looks at is best seen first."""
    if not blocks:
        return message
    return (*blocks, Text(message)) if message.strip() else tuple(blocks)


def check_model(blocks: Sequence[Block], model: str) -> None:
    """Raises InputError for a file that the model cannot read: the embedded ones read text."""
    if is_embedded(model) and (names := not_text(blocks)):
        what = f"{sendable(model)} does not take {names[0]}: it reads text only"
        raise InputError(what, f"-m {DEFAULT_MODEL} takes images and PDF")


def not_text(blocks: Sequence[Block]) -> list[str]:
    """The names of the files that are no text."""
    return [block.name for block in blocks if not isinstance(block, Text)]


def in_short(content: Content) -> str:
    """What a person recognizes a message by: the names of its files, and the words."""
    if isinstance(content, str):
        return content
    return " ".join(f"[{name}]" if (name := name_of(block)) else as_text((block,)) for block in content)


def name_of(block: Block) -> str | None:
    """The name of a file; None for words."""
    if not isinstance(block, Text):
        return block.name
    found = _OPENING_TAG.match(block.text)
    return found[1] if found else None


def is_blank(block: Block) -> bool:
    """Whether a file has nothing in it but white space."""
    return isinstance(block, Text) and _BLANK.fullmatch(block.text) is not None


def shown_name(path: str) -> str:
    """What the model knows a file by, harmless: its path, where that is absolute only the end.

    The folders above may have the user's name in them, and say little of the file. But /dev/fd/63 is not just 63.
    """
    if path.startswith("/") and not path.startswith("/dev/"):
        path = path.rpartition("/")[2]
    return one_line(sendable(path).translate(_HARMFUL), MAX_NAME) or "file"


def _decoded(data: bytes) -> str | None:
    """The text without its byte order mark; None if it is no text."""
    encoding = "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def _in_tags(name: str, text: str) -> str:
    """The text between tags that it cannot close: not the text is changed for that, the tags are."""
    closed = {tag.lower() for tag in _CLOSING_TAG.findall(text)}
    tags = itertools.chain(["file"], (f"file-{number}" for number in itertools.count(2)))
    tag = next(tag for tag in tags if tag not in closed)
    end = "" if text.endswith("\n") else "\n"
    return f'<{tag} name="{name}">\n{text}{end}</{tag}>'


def _in_base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _refusal(path: str, data: bytes) -> InputError:
    if what := looks_like(data):
        return InputError(f"the model does not take {path}: it looks like {what}", _TAKEN)
    # Few files but text have no NUL in them.
    hint = _TAKEN if b"\0" in data else f"{_TAKEN}; if this is Latin-1: -a <(iconv -f LATIN1 -t UTF-8 FILE)"
    return InputError(f"the model does not take {path}: it is neither text in UTF-8 nor an image or PDF", hint)
