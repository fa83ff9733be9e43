"""analyze --report: the page, written while the watch goes on, and at its end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING

from streamcli.core.citations import cited
from streamcli.core.condense import Condensed
from streamcli.edge.notes import Notes
from streamcli.errors import StreamcliError
from streamcli.store.files import Target

if TYPE_CHECKING:
    from streamcli.core.report import Totals

# Seconds between two pages.
INTERVAL = 60.0


class Reporting:
    """Keeps the report and its file. Raises CannotCreate at once for a file that cannot be written."""

    def __init__(self, path: str, notes: Notes, totals: "Callable[[], Totals]") -> None:
        from streamcli.core.report import Report

        self._path = path
        self._notes = notes
        self._totals = totals
        self._numbers: dict[int, int] = {}
        zone = datetime.now().astimezone().tzinfo
        self._report: Report = Report("streamcli analyze", time.time(), *([zone] if zone else []))
        self._failed = False
        Target(path, force=True, parents=False).check()

    def window(self, content: Condensed) -> None:
        """A window goes out."""
        from streamcli.core.report import TemplateCount

        templates = [TemplateCount(template.count, template.example) for template in content.templates]
        self._report.add_window(
            time.time(), content.lines, content.shown, content.condensed, content.dropped, templates
        )

    def finding(
        self, number: int, level: str, first: int | None, last: int | None, text: str, content: Condensed
    ) -> None:
        """The `number`-th finding of the run."""
        lines: Sequence[str] = cited(content.text, first, last)
        self._numbers[number] = self._report.add_finding(time.time(), level, first, last, text, lines)

    def again(self, number: int, first: int | None, last: int | None) -> None:
        """It was found again."""
        if number in self._numbers:
            self._report.again(self._numbers[number], time.time(), first, last)

    def failure(self, first: int, last: int, message: str) -> None:
        """A window has no answer."""
        self._report.add_failure(time.time(), first, last, message)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        """While the block runs the page is written each INTERVAL."""
        writer = asyncio.create_task(self._write_again_and_again())
        try:
            yield
        finally:
            writer.cancel()

    def write(self, *, ended: bool) -> None:
        """Raises StreamcliError where it cannot be."""
        page = self._report.page(time.time(), self._totals(), ended=ended)
        Target(self._path, force=True, parents=False).commit(page.encode())

    async def _write_again_and_again(self) -> None:
        while True:
            await asyncio.sleep(INTERVAL)
            try:
                self.write(ended=False)
                self._failed = False
            except StreamcliError as error:
                if not self._failed:
                    self._notes.error(error)
                self._failed = True
