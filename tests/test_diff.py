"""Diffs: what patch and git really make of them, and what a terminal is shown."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.core.diff import unified

TEXTS = st.lists(
    st.sampled_from(["a", "b", "", " ", "-x", "+y", "\\", "c\r", "\f", "\u2028", "é", "@@ -1 +1 @@"])
).flatmap(lambda lines: st.sampled_from(["\n".join(lines), "\n".join([*lines, ""])]))
LONG = [f"line {number}\n" for number in range(40)]
PAIRS = [
    ("a\nb\nc\n", "a\nB\nc\n"),
    ("a\nb", "a\nb\n"),
    ("a\nb\n", "a\nb"),
    ("a", "b"),
    ("", "a\n"),
    ("a\n", ""),
    ("a\r\nb\r\n", "a\r\nB\r\n"),
    ("a\r\n", "a\n"),
    ("a\x0cb\u2028c\x85d\n", "a\x0cb\u2028c\x85e\n"),
    ("".join(LONG), "".join([*LONG[:5], "new\n", *LONG[5:30], *LONG[31:]])),
]
APPLY = {
    "patch": ["patch", "-p1", "--binary", "--quiet"],
    "git": ["git", "-c", "core.autocrlf=false", "apply", "--whitespace=nowarn"],
}


def apply(tool: str, folder: Path, diff: list[str]) -> None:
    if not shutil.which(tool):
        pytest.skip(f"{tool} is not installed")

    done = subprocess.run(APPLY[tool], cwd=folder, input="".join(diff).encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("tool", APPLY)
@pytest.mark.parametrize(("old", "new"), PAIRS)
def test_patch_and_git_make_the_new_text_of_the_old_one(tmp_path, tool, old, new):
    file = tmp_path / "sub dir" / "x.py"
    file.parent.mkdir()
    file.write_bytes(old.encode())
    apply(tool, tmp_path, unified(old, new, "sub dir/x.py", colour=False))
    assert (file.read_bytes() if file.exists() else b"") == new.encode()  # an empty file, patch removes


@pytest.mark.parametrize("tool", APPLY)
@pytest.mark.parametrize("name", ["x.py", "a b.py", 'q"uo\\te.py', "new\nline.py", "é.py"])
def test_a_new_file_and_names_of_all_kinds(tmp_path, tool, name):
    apply(tool, tmp_path, unified(None, "a\nb", name, colour=False))
    assert (tmp_path / name).read_bytes() == b"a\nb"


@settings(max_examples=60, deadline=None)
@given(TEXTS, TEXTS)
def test_git_applies_any_diff(tmp_path_factory, old, new):
    folder = tmp_path_factory.mktemp("any")
    (folder / "x").write_bytes(old.encode())
    diff = unified(old, new, "x", colour=False)
    assert bool(diff) == (old != new)
    if diff:
        apply("git", folder, diff)
        assert (folder / "x").read_bytes() == new.encode()


def test_an_absolute_name_is_made_relative():
    assert unified("a\n", "b\n", "/tmp/x.py", colour=False)[:2] == ["--- a/tmp/x.py\n", "+++ b/tmp/x.py\n"]


def test_on_a_terminal_it_is_coloured_as_git_does():
    assert unified("a\nb\n", "a\nB", "x", colour=True) == [
        "\x1b[1m--- a/x\x1b[m\n",
        "\x1b[1m+++ b/x\x1b[m\n",
        "\x1b[36m@@ -1,2 +1,2 @@\x1b[m\n",
        " a\n",
        "\x1b[31m-b\x1b[m\n",
        "\x1b[32m+B\x1b[m\n",
        "\x1b[32m\\ No newline at end of file\x1b[m\n",
    ]


def test_code_cannot_drive_the_terminal_but_goes_into_a_patch_as_it_is():
    evil = "\x1b]0;owned\x07\r\n"
    shown = unified("a\n", "a\n" + evil, "x\x1b[2J", colour=True)
    assert shown[-1] == "\x1b[32m+␛]0;owned␇␍\x1b[m\n"
    assert "\x1b[2J" not in "".join(shown)
    assert unified("a\n", "a\n" + evil, "x", colour=False)[-1] == "+" + evil


def test_nothing_differs():
    assert unified("a\n", "a\n", "x", colour=True) == []
    assert unified(None, "", "x", colour=False) == []
