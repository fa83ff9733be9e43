"""Text on its way to a terminal, made harmless.

A model can be talked into writing escape sequences, by a log line for instance: they could retitle the window, write
to the clipboard or hide text. Each control character is shown instead of obeyed, ESC as U+241B and so on; so are the
bidirectional overrides that make source code read as it is not (CVE-2021-42574).
"""

import re

_CONTROL_PICTURES = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\n\t"}
_C1 = {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
_BIDI = {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}
_TABLE: dict[int, int | str] = {**_CONTROL_PICTURES, 0x7F: 0x2421, **_C1, **_BIDI}

_HARMFUL = re.compile("[" + "".join(re.escape(chr(code)) for code in _TABLE) + "]")


def sanitize(text: str) -> str:
    """`text` with nothing in it that a terminal obeys but newlines and tabs."""
    return text.translate(_TABLE) if _HARMFUL.search(text) else text


def one_line(text: str, limit: int = 400) -> str:
    """Foreign text for a message of ours: harmless, on one line, at most `limit` characters."""
    line = sanitize(" ".join(text[: limit * 4].split()))
    return line if len(line) <= limit else line[: limit - 3] + "..."


class Sanitizer:
    """The same for a stream: a CR is dropped where an LF follows it, in this delta or the next one."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str, now: float) -> list[str]:
        text = self._held + text
        self._held = ""
        if text.endswith("\r"):
            text, self._held = text[:-1], "\r"
        text = sanitize(text.replace("\r\n", "\n"))
        return [text] if text else []

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        text, self._held = self._held, ""
        return [sanitize(text)] if text else []
