"""README.md is true: its examples run as they are written, and its tables agree with the program."""

import os
import re
import stat
import sys
import tomllib
from pathlib import Path

import pytest
from fake_server import FakeServer, answer
from harness import ROOT

from streamcli import errors
from streamcli.cli import parse

README = (ROOT / "README.md").read_text(encoding="utf-8")
# What the examples take for granted; `tail -f` ends here, so that the examples do.
STAND_INS = {
    "git": "echo 'diff --git a/x b/x'",
    "journalctl": "echo 'sshd: Failed password for root'",
    "jq": f"exec {sys.executable} -c \"import json, sys; print(*[json.loads(l).get('text') or 0 for l in sys.stdin])\"",
    "kubectl": "echo 'panic: nil map'",
    "make": "echo 'FAILED test_x'; exit 2",
    "psql": "echo 'id | integer'",
    "streamcli": f'exec {sys.executable} -m streamcli "$@"',
    "docker": "echo 'ERROR pool exhausted'",
    "tail": 'case "$1" in -f|-F) cat "$2" ;; *) exec /usr/bin/tail "$@" ;; esac',
}


def examples() -> list[str]:
    blocks = re.findall(r"^```bash\n(.*?)^```", README, re.M | re.S)
    return [line for block in blocks for line in block.splitlines() if re.search(r"\bstreamcli ", line)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "work"
    stand_ins = tmp_path / "bin"
    work.mkdir()
    stand_ins.mkdir()
    for name, script in STAND_INS.items():
        path = stand_ins / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
    (work / "app.log").write_text("one line\nanother\n")
    (work / "words.txt").write_text("bread\nbutter\n")
    (work / "prompts.jsonl").write_text('{"prompt": "one", "id": 1}\n{"prompt": "two", "id": 2}\n')
    (work / "tool.py").write_text("print('hi')\n")
    for name in ("notes.md", "style.md"):
        (work / name).write_text("Short lines.\n")
    (work / "diagram.png").write_bytes(b"\x89PNG\r\n\x1a\n\0")
    (work / "menu.pdf").write_bytes(b"%PDF-1.7\n\xff")
    return work


@pytest.mark.parametrize("example", examples())
def test_an_example_runs_as_written(example: str, folder: Path, spawn, server: FakeServer):
    server.always(answer("OK" if "streamcli analyze" in example else "```\nfine = 1\n```\n"))
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    process = spawn(env={"PATH": path}, program=["bash", "-c", example], cwd=folder)
    result = process.finish(60)
    said = [line for line in result.stderr.splitlines() if "tokens in" not in line or "--usage" not in example]
    assert (result.status, said) == (0, []), result
    assert server.requests


def test_there_are_examples_of_every_verb():
    assert {match[1] for line in examples() if (match := re.search(r"streamcli (\w+)", line))} == {
        "chat",
        "gen",
        "analyze",
    }


def test_the_first_two_blocks_are_one_line_each():
    blocks = re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S)
    assert [len(block.splitlines()) for block in blocks] == [1, 1]


def test_every_status_of_the_program_is_in_the_table():
    table = README.split("## Exit status")[1].split("\n## ")[0]
    told = {int(number) for number in re.findall(r"\| (\d+) \|", table)}
    known = {error.status for error in errors.StreamcliError.__subclasses__()} | {0, 3}
    assert known == told


def test_the_tables_defaults_are_the_programs():
    settings = parse(["chat", "x"]).settings
    told = dict(re.findall(r"^\| `(--[\w-]+)[^|]*\|[^|]*\| ([\d.]+) \|$", README, re.M))
    assert told == {
        "--timeout": f"{settings.timeout:g}",
        "--retries": str(settings.retries),
        "--jobs": str(settings.jobs),
        "--check": f"{parse(['gen', 'x']).settings.check_timeout:g}",
    }


def test_the_transform_works_as_written(run, server: FakeServer, tmp_path: Path):
    code = re.search(r"as `loud.py`:\n\n```python\n(.*?)^```", README, re.M | re.S)
    table = re.search(r"^```toml\n(\[project\.entry-points.*?)^```", README, re.M | re.S)
    assert code is not None
    assert table is not None
    assert sum(map(bool, code[1].splitlines())) <= 10
    (tmp_path / "loud.py").write_text(code[1])
    info = tmp_path / "loud-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    points = tomllib.loads(table[1])["project"]["entry-points"]["streamcli.transforms"]
    lines = [f"{name} = {target}\n" for name, target in points.items()]
    (info / "entry_points.txt").write_text("".join(["[streamcli.transforms]\n", *lines]))
    server.enqueue(answer("a word"))
    result = run("chat", "--transform", "loud", "hi", env={"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"})
    assert (result.status, result.stdout, result.stderr) == (0, b"A WORD", "streamcli: that was loud\n")
