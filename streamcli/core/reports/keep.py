"""Which findings and templates of a run a report keeps, and what it counts only."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace

from streamcli.core.reports.facts import LEVELS, Again, Finding, Template, TemplateCount

MAX_FINDINGS = 1_000
# Characters of all findings together, text and log: with those a page of a few megabytes still opens at once.
MAX_FINDINGS_SIZE = 4_000_000
MAX_TEMPLATES = 200

_WORD = re.compile(r"\w+")


class FindingShelf:
    """The most severe findings, and of one level those that came, or came again, last."""

    def __init__(self, most: int = MAX_FINDINGS, most_characters: int = MAX_FINDINGS_SIZE) -> None:
        self._most = most
        self._most_characters = most_characters
        self._kept: dict[str, OrderedDict[int, Finding]] = {level: OrderedDict() for level in LEVELS}
        self._level_of: dict[int, str] = {}
        self._size = 0
        self._last = 0
        self.counts = dict.fromkeys(LEVELS, 0)
        """Findings by level, kept or not."""
        self.fallen = dict.fromkeys(LEVELS, 0)
        """Those that had to make room."""

    def add(self, finding: Finding) -> int:
        """Returns its number."""
        self._last += 1
        self.counts[finding.level] += 1
        self._kept[finding.level][self._last] = finding
        self._level_of[self._last] = finding.level
        self._size += finding.size
        while len(self._level_of) > self._most or self._size > self._most_characters:
            self._drop_one()
        return self._last

    def again(self, number: int, at: float, first: int | None, last: int | None) -> Finding | None:
        """The finding, if it is kept."""
        level = self._level_of.get(number)
        if level is None:
            return None
        finding = self._kept[level][number]
        count = finding.again.count if finding.again else 0
        self._kept[level][number] = replace(finding, again=Again(count + 1, at, first, last))
        self._kept[level].move_to_end(number)
        return finding

    def in_order(self) -> tuple[Finding, ...]:
        """The most severe first, and of one level the latest."""
        return tuple(finding for level in LEVELS for finding in reversed(self._kept[level].values()))

    def _drop_one(self) -> None:
        level = next(level for level in reversed(LEVELS) if self._kept[level])
        number, finding = self._kept[level].popitem(last=False)
        del self._level_of[number]
        self._size -= finding.size
        self.fallen[level] += 1


class TemplateTally:
    """Templates of many windows. Examples that differ in words with a digit in them are of one template.

    Twice as many as are listed may be counted before the smallest half goes, so that a new one has time to grow.
    """

    def __init__(self, most: int = MAX_TEMPLATES) -> None:
        self._most = most
        self._counts: dict[str, Template] = {}
        self._evicted_lines = 0

    def add(self, templates: Iterable[TemplateCount], limit: int) -> None:
        """An example is cut to `limit` characters, and told from others by what is left."""
        for template in templates:
            example = cut(template.example, limit)
            key = _WORD.sub(_masked, example)
            known = self._counts.get(key) or Template(0, example, exact=not self._evicted_lines)
            self._counts[key] = replace(known, count=known.count + template.count)
            if len(self._counts) > 2 * self._most:
                self._evict()

    def listed(self) -> tuple[Template, ...]:
        """The most frequent first."""
        return tuple(sorted(self._counts.values(), key=_count, reverse=True)[: self._most])

    def unlisted_lines(self) -> int:
        """Lines of all the others."""
        counted = sum(map(_count, self._counts.values()))
        return self._evicted_lines + counted - sum(map(_count, self.listed()))

    def _evict(self) -> None:
        in_order = sorted(self._counts.items(), key=lambda item: item[1].count, reverse=True)
        self._counts = dict(in_order[: self._most])
        self._evicted_lines += sum(template.count for _, template in in_order[self._most :])


def cut(text: str, limit: int) -> str:
    """At most `limit` characters of it; a mark says so where it is less than all."""
    mark = " [cut]"
    return text if len(text) <= limit else text[: limit - len(mark)] + mark


def _masked(word: re.Match[str]) -> str:
    return "#" if any(map(str.isdigit, word[0])) else word[0]


def _count(template: Template) -> int:
    return template.count
