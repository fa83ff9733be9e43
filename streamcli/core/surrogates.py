"""Text that always encodes to UTF-8: JSON can escape half a surrogate pair, and a delta can end between the halves."""


class SurrogateMender:
    """A filter of core's shape: the first half of a pair waits for the second; one that stays alone becomes U+FFFD."""

    def __init__(self) -> None:
        self._half = ""

    def feed(self, text: str, now: float) -> list[str]:
        if not self._half and text.isascii():  # nearly always, and known without looking
            return [text] if text else []
        if not text:
            return []
        text = self._half + text
        self._half = text[-1] if "\ud800" <= text[-1] <= "\udbff" else ""
        text = mend_surrogates(text[:-1] if self._half else text)
        return [text] if text else []

    def deadline(self) -> float | None:
        return None

    def flush(self) -> list[str]:
        """What waits for a second half that cannot come any more."""
        half, self._half = self._half, ""
        return [mend_surrogates(half)] if half else []


def mend_surrogates(text: str) -> str:
    """Joins surrogate pairs that came in two halves, and replaces a lone one by U+FFFD."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
