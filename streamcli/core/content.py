"""What a message is made of: text, and files that the model looks at."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Text:
    """Words. Those of a file have `name`, which stands in the text as well: it is for people, and says nothing more."""

    text: str
    name: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Image:
    """A picture: `data` is the file in base64, `name` what a person knows it by."""

    name: str
    media_type: str
    data: str


@dataclass(frozen=True, slots=True)
class Document:
    """A PDF: `data` is the file in base64, `name` what a person knows it by."""

    name: str
    media_type: str
    data: str


Block = Text | Image | Document
Content = str | tuple[Block, ...]
"""One message. A message of words alone is a string."""
_KINDS: dict[str, type[Text] | type[Image] | type[Document]] = {"text": Text, "image": Image, "document": Document}


def as_json(content: Content) -> str | list[dict[str, Any]]:
    """The `content` of a message of the Messages API."""
    return content if isinstance(content, str) else [part for block in content for part in _parts(block)]


def as_text(content: Content) -> str:
    """What a person reads: the words, and for each file a line with its name."""
    if isinstance(content, str):
        return content
    return "\n\n".join(_shown(block) for block in content)


def words_only(content: Content) -> Content:
    """The same for a model that reads nothing but text: of other files there is the name."""
    if isinstance(content, str):
        return content
    return tuple(block if isinstance(block, Text) else Text(_shown(block), block.name) for block in content)


def names_of(content: Content) -> list[str]:
    """Those of its files."""
    return [] if isinstance(content, str) else [block.name for block in content if block.name is not None]


def map_text(content: Content, function: Callable[[str], str]) -> Content:
    """The same with `function` applied to its words, and to the names of files, which are sent too."""
    if isinstance(content, str):
        return function(content)
    return tuple(_mapped(block, function) for block in content)


def to_storage(content: Content) -> str:
    """As one text, for `from_storage`: JSON, names of files and all."""
    stored = content if isinstance(content, str) else [_stored(block) for block in content]
    return json.dumps(stored, ensure_ascii=False, separators=(",", ":"))


def from_storage(stored: str) -> Content:
    """What `to_storage` was given. Raises ValueError for what it did not make."""
    value = json.loads(stored)
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise ValueError("no message")
    return tuple(map(_restored, value))


def _shown(block: Block) -> str:
    return block.text if isinstance(block, Text) and block.name is None else f"[{block.name}]"


def _mapped(block: Block, function: Callable[[str], str]) -> Block:
    if not isinstance(block, Text):
        return replace(block, name=function(block.name))
    return replace(block, text=function(block.text), name=None if block.name is None else function(block.name))


def _stored(block: Block) -> dict[str, str]:
    """Words of no file have no name: so it was before any had."""
    fields = {key: value for key, value in asdict(block).items() if value is not None}
    return {"type": type(block).__name__.lower(), **fields}


def _restored(fields: Any) -> Block:
    if not (isinstance(fields, dict) and all(isinstance(value, str) for value in fields.values())):
        raise ValueError("no block of a message")
    kind = _KINDS.get(fields.pop("type", ""))
    if kind is None or fields.keys() | ({"name"} if kind is Text else set()) != kind.__dataclass_fields__.keys():
        raise ValueError("an unknown block of a message")
    return kind(**fields)


def _parts(block: Block) -> list[dict[str, Any]]:
    """An image has no title: its name stands before it, so that one of several can be asked about."""
    match block:
        case Text(text):
            return [_text(text)]
        case Image(name, media_type, data):
            return [_text(f"{name}:"), {"type": "image", "source": _source(media_type, data)}]
        case Document(name, media_type, data):
            return [{"type": "document", "source": _source(media_type, data), "title": name}]


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text}


def _source(media_type: str, data: str) -> dict[str, Any]:
    return {"type": "base64", "media_type": media_type, "data": data}
