"""Golden cases: tests/golden/*.toml says what goes into the program and what must come out.

A file has, above its cases, `[defaults]` (any keys of a case) and `[defaults.VERB]` (the same for one verb).  A
case, `[[case]]`, has

    name            says what is right; with the file and the verb it is the test's id
    verbs           one test each for these ("chat", "gen", "analyze"); [] where argv holds everything
    argv, env       after the verb; changes to the hermetic environment ("" removes a name)
    stdin           text; or stdin_hex; times stdin_repeat.  Without it stdin is /dev/null
    files           name -> text, in the working directory; or files_hex, name -> hex
    server          the replies, in order (see fake_server.reply_from); without it every answer is "ok"
    url             the server's address is {url} in argv and env, and the program's default server

and expects

    status          0 unless given; a negative one is death by that signal
    stdout          exact text; or stdout_hex; times stdout_repeat; or stdout_matches, a regular expression
    stderr          exact; or stderr_contains and stderr_lacks, lists; or stderr_matches
    requests        how many messages were asked for
    request         fields of the last request's body, as far as they are given
    request_contains, request_lacks     texts in the last request's system prompt and messages
    request_headers name -> value in the last request
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fake_server import FakeServer, Request
from harness import Result

FOLDER = Path(__file__).parent / "golden"
KEYS = {
    *("name", "verbs", "argv", "env", "stdin", "stdin_hex", "stdin_repeat", "files", "files_hex", "server", "timeout"),
    *("status", "stdout", "stdout_hex", "stdout_repeat", "stdout_matches"),
    *("stderr", "stderr_contains", "stderr_lacks", "stderr_matches"),
    *("requests", "request", "request_contains", "request_lacks", "request_headers"),
}


@dataclass(frozen=True)
class Case:
    """One run of the program."""

    id: str
    verb: str | None
    fields: dict[str, Any]

    @property
    def stdin(self) -> bytes | None:
        return _bytes(self.fields, "stdin")

    @property
    def timeout(self) -> float:
        return float(self.fields.get("timeout", 30.0))

    def argv(self, url: str) -> list[str]:
        words = [self.verb] if self.verb else []
        return [*words, *(word.replace("{url}", url) for word in self.fields.get("argv", []))]

    def env(self, url: str) -> dict[str, str | None]:
        changes = self.fields.get("env", {})
        return {name: value.replace("{url}", url) or None for name, value in changes.items()}

    def prepare(self, folder: Path, server: FakeServer) -> None:
        for name, content in self.fields.get("files", {}).items():
            (folder / name).write_text(content, "utf-8")
        for name, content in self.fields.get("files_hex", {}).items():
            (folder / name).write_bytes(bytes.fromhex(content))
        server.load(self.fields.get("server", []))

    def check(self, result: Result, server: FakeServer) -> None:
        expected = self.fields
        what = f"{self.id}\n{result}"
        assert result.status == expected.get("status", 0), what
        self._check_stdout(result, what)
        self._check_stderr(result, what)
        asked = [r for r in server.requests if r.path.startswith("/v1/messages") and "count" not in r.path]
        if "requests" in expected:
            assert len(asked) == expected["requests"], what
        assert server.pending == 0, f"{server.pending} replies were not asked for\n{what}"
        if asked:
            self._check_request(asked[-1], what)

    def _check_stdout(self, result: Result, what: str) -> None:
        if "stdout_matches" in self.fields:
            assert re.search(self.fields["stdout_matches"], result.text, re.S | re.M), what
        elif (stdout := _bytes(self.fields, "stdout")) is not None:
            assert result.stdout == stdout, what

    def _check_stderr(self, result: Result, what: str) -> None:
        expected, stderr = self.fields, result.stderr
        assert "Traceback" not in stderr, what
        if "stderr" in expected:
            assert stderr == expected["stderr"], what
        elif "stderr_matches" not in expected and expected.get("status", 0) > 0:
            assert re.search(r"^streamcli: .", stderr, re.M), what
        for wanted in expected.get("stderr_contains", []):
            assert wanted in stderr, f"{wanted!r} in stderr\n{what}"
        for unwanted in expected.get("stderr_lacks", []):
            assert unwanted not in stderr, f"{unwanted!r} not in stderr\n{what}"
        if "stderr_matches" in expected:
            assert re.search(expected["stderr_matches"], stderr, re.S | re.M), what

    def _check_request(self, request: Request, what: str) -> None:
        expected, body = self.fields, request.body
        shown = json.dumps(body, indent=1, ensure_ascii=False)
        assert _is_part(expected.get("request", {}), body), f"{what}\nbody {shown}"
        texts = "\n".join(_texts({key: body.get(key) for key in ("system", "messages")}))
        for wanted in expected.get("request_contains", []):
            assert wanted in texts, f"{wanted!r} in the request\n{what}\nbody {shown}"
        for unwanted in expected.get("request_lacks", []):
            assert unwanted not in texts, f"{unwanted!r} not in the request\n{what}\nbody {shown}"
        headers = {name: request.headers.get(name) for name in expected.get("request_headers", {})}
        assert headers == expected.get("request_headers", {}), what


def load(folder: Path = FOLDER) -> list[Case]:
    """All cases of all files."""
    cases = [case for path in sorted(folder.glob("*.toml")) for case in _file(path)]
    seen: set[str] = set()
    for case in cases:
        if case.id in seen:
            raise ValueError(f"two cases are called {case.id}")
        seen.add(case.id)
    return cases


def _file(path: Path) -> Iterator[Case]:
    table = tomllib.loads(path.read_text("utf-8"))
    defaults = table.get("defaults", {})
    for case in table["case"]:
        if unknown := case.keys() - KEYS:
            raise ValueError(f"{path.name}: {case['name']}: what is {sorted(unknown)}?")
        common = {key: value for key, value in defaults.items() if key in KEYS}
        for verb in case.get("verbs", common.get("verbs", [])) or [None]:
            inherited = {**common, **defaults.get(verb, {})}
            for exact, other in (("stderr", "stderr_matches"), ("stdout", "stdout_matches")):
                if exact in case:  # what the case says itself stands alone
                    inherited.pop(other, None)
                if other in case:
                    inherited.pop(exact, None)
            fields = {**inherited, **case}
            slug = re.sub(r"[^\w]+", "-", case["name"]).strip("-")
            yield Case(f"{path.stem}-{slug}" + (f"-{verb}" if verb else ""), verb, fields)


def _bytes(fields: dict[str, Any], name: str) -> bytes | None:
    if f"{name}_hex" in fields:
        data = bytes.fromhex(fields[f"{name}_hex"])
    elif name in fields:
        data = fields[name].encode()
    else:
        return None
    return data * int(fields.get(f"{name}_repeat", 1))


def _is_part(expected: Any, actual: Any) -> bool:
    """Whether `actual` has all that `expected` says; lists must be as long."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            key in actual and _is_part(value, actual[key]) for key, value in expected.items()
        )
    if isinstance(expected, list):
        same = isinstance(actual, list) and len(actual) == len(expected)
        return same and all(_is_part(e, a) for e, a in zip(expected, actual, strict=True))
    return bool(expected == actual)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)
