"""Text that waits, in memory or on a disk that may be full."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

import pytest
from harness import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from streamcli.edge.spool import MEMORY_BYTES, DiskSpool
from streamcli.errors import OutputError

TEXT = st.text(alphabet=st.sampled_from(["a", "é", "漢", "😀", "\ud83d", "\udc00", "\x00", "\r", "\n"]))


def on_disk() -> list[str]:
    """The files without a name that this process holds."""
    names = []
    for fd in os.listdir("/proc/self/fd"):
        try:
            names.append(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:  # the folder's own
            continue
    return [name for name in names if name.startswith(tempfile.gettempdir()) and name.endswith("(deleted)")]


@settings(max_examples=200, deadline=None)
@given(st.lists(TEXT), st.integers(0, 40))
def test_what_was_written_is_read_however_often(texts, memory):
    spool = DiskSpool(memory)
    for text in texts:
        spool.write(text)
        assert "".join(spool.read()) == "".join(spool.read())
    assert "".join(spool.read()) == "".join(texts)
    spool.close()


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_the_disk_is_used_beyond_a_megabyte_by_a_file_without_a_name(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = DiskSpool()
    spool.write("a" * MEMORY_BYTES)
    assert on_disk() == []
    spool.write("é")
    assert len(on_disk()) == 1
    assert list(tmp_path.iterdir()) == []
    assert "".join(spool.read()) == "a" * MEMORY_BYTES + "é"
    spool.clear()
    assert on_disk() == []
    assert list(spool.read()) == []
    spool.write("b")
    assert list(spool.read()) == ["b"]
    spool.close()
    spool.close()


@pytest.mark.parametrize("memory", [0, 10_000_000])
def test_pieces_are_bounded_and_two_readers_do_not_disturb_each_other(memory):
    spool = DiskSpool(memory)
    text = "a😀é" * 100_000
    spool.write(text)
    first = spool.read()
    begun = next(first)
    assert "".join(spool.read()) == text
    pieces = [begun, *first]
    assert "".join(pieces) == text
    assert max(map(len, pieces)) <= 65536
    spool.close()


def test_there_is_no_place_for_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(OutputError) as raised:
        DiskSpool(0).write("a")
    assert raised.value.message == "cannot keep the answer in a temporary file: No such file or directory"
    assert raised.value.hint == "free some space there, or set TMPDIR to another directory"


def test_a_full_disk():
    script = """
import resource
from streamcli.edge.spool import DiskSpool
from streamcli.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
spool = DiskSpool(100)
spool.write("a" * 900)
try:
    spool.write("b" * 900)
except OutputError as error:
    print(error.status, error.message)
print(len("".join(spool.read())))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "74 cannot keep the answer in a temporary file: File too large\n1000\n"
