"""stdin -> records: with --each, every one of them is a prompt of its own."""

import json
import math
from dataclasses import dataclass
from typing import Literal

from streamcli.core.lines import decode
from streamcli.core.models import MAX_MESSAGE_BYTES
from streamcli.core.surrogates import mend_surrogates
from streamcli.errors import InputError

Form = Literal["lines", "nul", "jsonl"]


@dataclass(frozen=True)
class Record:
    """The `number`-th record of the input, counted from 1 with the empty ones."""

    number: int
    data: bytes
    is_too_large: bool = False


@dataclass(frozen=True)
class Prompt:
    """What a record asks. `id` is whatever a JSON record has by that name, to be given back with the answer."""

    text: str
    system: str | None = None
    id: object = None
    output: str | None = None
    """The file that the answer is for (gen)."""


class RecordSplitter:
    """Splits chunks at newlines, or at NUL. Of a record over `limit` bytes nothing is kept but that it was there.

    Empty records, and those of white space only, are counted and left out.
    """

    def __init__(self, form: Form, limit: int = MAX_MESSAGE_BYTES) -> None:
        self._separator = b"\0" if form == "nul" else b"\n"
        self._limit = limit
        self._partial: list[bytes] = []
        self._size = 0
        self._number = 0

    def feed(self, chunk: bytes, now: float) -> list[Record]:
        head, separator, rest = chunk.partition(self._separator)
        self._keep(head)
        if not separator:
            return []
        *pieces, last = rest.split(self._separator)
        records = [self._take()]
        for piece in pieces:
            self._keep(piece)
            records.append(self._take())
        self._keep(last)
        return [record for record in records if record is not None]

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[Record]:
        """What the last chunk left without a separator is a record too."""
        record = self._take() if self._size else None
        return [record] if record else []

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._limit:
            self._partial.clear()
        elif piece:
            self._partial.append(piece)

    def _take(self) -> Record | None:
        self._number += 1
        data, size = b"".join(self._partial), self._size
        self._partial.clear()
        self._size = 0
        if size > self._limit:
            return Record(self._number, b"", is_too_large=True)
        return Record(self._number, data) if data.strip() else None


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


def _finite(number: str) -> float:
    """1e999 would be given back as Infinity, which is no JSON."""
    value = float(number)
    return value if math.isfinite(value) else _refuse(number)


def read_record(record: Record, form: Form) -> Prompt:
    """The prompt in a record. Raises InputError for one that is too large, or is no JSON with a prompt in it.

    A JSON record is a string, or an object with "prompt" and, if it likes, "system", "id" and "output"; what else it
    has is left alone.
    """
    if record.is_too_large:
        raise InputError(f"the record is larger than {MAX_MESSAGE_BYTES // 1_000_000} MB")
    if form != "jsonl":
        return Prompt(decode(record.data.removesuffix(b"\r") if form == "lines" else record.data))
    try:
        value = json.loads(record.data, parse_constant=_refuse, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        raise InputError("the record is no valid JSON", 'a line is an object: {"prompt": "..."}') from error
    if isinstance(value, str):
        value = {"prompt": value}
    prompt = value.get("prompt") if isinstance(value, dict) else None
    if not isinstance(prompt, str) or not prompt.strip():
        raise InputError('the record has no "prompt", or an empty one', 'a line is an object: {"prompt": "..."}')
    system, output = value.get("system"), value.get("output")
    for name, text in (("system", system), ("output", output)):
        if text is not None and not isinstance(text, str):
            raise InputError(f'the record\'s "{name}" is no text')
    if output is not None and (not output or mend_surrogates(output) != output):
        raise InputError("the record's \"output\" is no file's name")
    return Prompt(mend_surrogates(prompt), None if system is None else mend_surrogates(system), value.get("id"), output)
