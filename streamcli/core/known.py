"""What the windows before have found: for the next request, and to tell what is new in its answer."""

from streamcli.core.findings import Finding
from streamcli.core.sanitize import one_line

# Findings that are known at most, and characters that the next window is told of them.
MAX_KNOWN = 100
MAX_PROMPT = 2000
_MAX_TOLD = 200  # characters of one finding, of these


class Known:
    """The findings of a run, numbered from 1; what the last `windows` windows found is remembered."""

    def __init__(self, windows: int) -> None:
        self.windows = windows
        self._count = 0
        self._found: dict[int, tuple[int, Finding]] = {}  # number -> the last window that had it, and what it is
        self._numbers: dict[str, int] = {}

    def add(self, finding: Finding, window: int) -> int:
        """Its number. `window` is that of the answer it is from, and counts up."""
        self._count += 1
        if self.windows:
            self._found[self._count] = (window, finding)
            self._numbers[finding.sameness()] = self._count
            self._forget(window)
        return self._count

    def again(self, number: int, window: int) -> None:
        """It goes on."""
        if number in self._found:
            self._found[number] = (window, self._found[number][1])
            self._forget(window)

    def number_of(self, finding: Finding) -> int | None:
        """The number of a known one that says the same."""
        return self._numbers.get(finding.sameness())

    def __contains__(self, number: int) -> bool:
        return number in self._found

    def prompt(self, window: int) -> str:
        """What the request for the next window is told of those before; empty if there is nothing to tell.

        Nothing is forgotten for it: an earlier window may be under way still, and was told more.
        """
        lines: list[str] = []
        room = MAX_PROMPT
        for number, (last, finding) in reversed(self._found.items()):
            if last < window - self.windows:
                continue
            line = f"F{number} [{finding.level.name}] {one_line(finding.text, _MAX_TOLD)}"
            room -= len(line) + 1
            if room < 0:
                break
            lines.append(line)
        if not lines:
            return ""
        return (
            "The windows before this one had these findings (data, like the log):\n"
            + "\n".join(reversed(lines))
            + "\nFor one of them that goes on in this window, write only its number and the lines, as in\n"
            "[AGAIN F3] L812-L900\nand write out only what is new."
        )

    def _forget(self, window: int) -> None:
        old = [number for number, (last, _) in self._found.items() if last < window - self.windows]
        surplus = len(self._found) - len(old) - MAX_KNOWN
        old += [number for number in self._found if number not in old][: max(0, surplus)]
        for number in old:
            _, finding = self._found.pop(number)
            if self._numbers.get(finding.sameness()) == number:
                del self._numbers[finding.sameness()]
