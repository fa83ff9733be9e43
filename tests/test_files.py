"""The user's file: the old one or the new one, whatever happens, and nothing beside it."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import random
import socket
import stat
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from harness import ROOT

from streamcli.errors import CannotCreate, InputError
from streamcli.store import files, temps
from streamcli.store.files import Candidate, Target

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")
OLD, NEW = b"old\n" * 3, b"new text\n" * 50_000


@pytest.fixture(params=["unnamed", "named"])
def way(request, monkeypatch) -> str:
    """With files that have no name while they are written, and as elsewhere."""
    if request.param == "named":
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    elif not hasattr(os, "O_TMPFILE"):
        pytest.skip("no O_TMPFILE here")
    return request.param


@pytest.fixture
def umask():
    old = os.umask(0o027)
    yield 0o027
    os.umask(old)


def target(path: Path | str | bytes, *, force: bool = True, parents: bool = False) -> Target:
    return Target(path if isinstance(path, bytes) else str(path), force=force, parents=parents)


def refusal(path: Path | str | bytes, **options: bool) -> tuple[str, str | None]:
    with pytest.raises(CannotCreate) as raised:
        target(path, **options).check()
    assert raised.value.status == 73
    return raised.value.message, raised.value.hint


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_has_the_mode_that_any_new_file_gets(tmp_path, way, umask):
    new = target(tmp_path / "x.py", force=False)
    new.check()
    assert names(tmp_path) == []
    assert new.old_text() is None
    new.commit(NEW)
    assert (tmp_path / "x.py").read_bytes() == NEW
    assert mode(tmp_path / "x.py") == 0o640
    assert names(tmp_path) == ["x.py"]


def test_an_old_file_is_replaced_and_keeps_what_it_had(tmp_path, way, umask):
    path = tmp_path / "x.py"
    path.write_bytes(OLD)
    path.chmod(0o4751)
    if os.geteuid() == 0:
        os.chown(path, 1234, 4321)
        path.chmod(0o4751)
    before = path.stat()
    some = target(path)
    some.check()
    assert path.stat() == before
    assert some.old_text() == OLD
    some.commit(NEW)
    after = path.stat()
    assert path.read_bytes() == NEW
    assert (after.st_mode, after.st_uid, after.st_gid) == (before.st_mode, before.st_uid, before.st_gid)
    assert after.st_ino != before.st_ino
    assert names(tmp_path) == ["x.py"]
    some.commit(b"again")  # what it wrote itself is no change by others
    assert path.read_bytes() == b"again"


@LINUX
def test_attributes_stay_and_a_folder_s_default_rights_are_not_added(tmp_path, way):
    def acl(*entries: tuple[int, int, int]) -> bytes:
        return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)

    nobody = 2**32 - 1
    rights = acl((1, 6, nobody), (2, 6, 1234), (4, 4, nobody), (0x10, 6, nobody), (0x20, 0, nobody))
    plain, listed = tmp_path / "plain", tmp_path / "listed"
    for path in (plain, listed):
        path.write_bytes(OLD)
        path.chmod(0o660)
    try:
        os.setxattr(listed, "user.origin", b"here")
        os.setxattr(listed, "system.posix_acl_access", rights)
        os.setxattr(tmp_path, "system.posix_acl_default", rights)
    except OSError as error:
        pytest.skip(f"no attributes here: {error}")
    for name in ("plain", "listed", "new"):
        target(tmp_path / name).commit(NEW)
    assert {name: os.getxattr(listed, name) for name in os.listxattr(listed)} == {
        "user.origin": b"here",
        "system.posix_acl_access": rights,
    }
    assert os.listxattr(plain) == []
    assert mode(plain) == mode(listed) == 0o660
    (tmp_path / "usual").touch()  # as the kernel makes it
    usual = tmp_path / "usual"
    assert os.getxattr(tmp_path / "new", "system.posix_acl_access") == os.getxattr(usual, "system.posix_acl_access")
    assert mode(tmp_path / "new") == mode(usual)


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path, way):
    (tmp_path / "real").mkdir()
    path = tmp_path / "real" / "x.py"
    path.write_bytes(OLD)
    (tmp_path / "middle").symlink_to("real/x.py")
    (tmp_path / "link").symlink_to("middle")
    assert refusal(tmp_path / "link", force=False)[0] == f"{tmp_path}/link exists already"
    linked = target(tmp_path / "link")
    linked.check()
    (tmp_path / "middle").unlink()  # what was found out once does not change
    (tmp_path / "middle").symlink_to("/etc/passwd")
    linked.commit(NEW)
    assert (tmp_path / "link").is_symlink()
    assert path.read_bytes() == NEW
    assert names(tmp_path / "real") == ["x.py"]


def test_a_link_to_nothing_makes_what_it_leads_to(tmp_path, way):
    (tmp_path / "link").symlink_to("new.py")
    target(tmp_path / "link", force=False).commit(NEW)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "new.py").read_bytes() == NEW
    (tmp_path / "lost").symlink_to("missing/new.py")
    assert refusal(tmp_path / "lost")[1] == "make its folder first, or use --parents"


def test_what_cannot_be_written_to(tmp_path):
    file, folder = tmp_path / "file", tmp_path / "folder"
    file.write_bytes(OLD)
    folder.mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "zero").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket"))
    what = {
        file: ("exists already", False),
        folder: ("is a folder", True),
        f"{tmp_path}/new/": ("is a folder", True),
        f"{tmp_path}/.": ("is a folder", True),
        tmp_path / "fifo": ("is a FIFO", True),
        tmp_path / "socket": ("is a socket", True),
        tmp_path / "zero": ("is a device", True),
        "/dev/null": ("is a device", True),
    }
    for path, (message, force) in what.items():
        assert refusal(path, force=force)[0] == f"{path} {message}"
    cannot = {
        tmp_path / "loop": errno.ELOOP,
        file / "below": errno.ENOTDIR,
        tmp_path / ("x" * 300): errno.ENAMETOOLONG,
        tmp_path / "missing" / "x": errno.ENOENT,
    }
    for path, number in cannot.items():
        assert refusal(path)[0] == f"cannot create {path}: {os.strerror(number)}"
    long = tmp_path / "missing" / ("x" * 300) / "x"
    assert refusal(long, parents=True)[0] == f"cannot create {long}: File name too long"
    assert refusal("")[0] == "the output file has no name"
    for name in ("a\0b", "a\ud800b"):
        assert refusal(name)[0] == f"cannot create {name}: no file can have such a name"
    assert names(tmp_path) == ["fifo", "file", "folder", "loop", "socket", "zero"]


@LINUX
def test_a_pipe_by_its_number_and_a_folder_that_takes_no_files(tmp_path):
    reader, writer = os.pipe()
    assert refusal(f"/dev/fd/{writer}") == (f"/dev/fd/{writer} is a FIFO", "leave -o out to write to standard output")
    os.close(reader)
    os.close(writer)
    assert refusal("/proc/new")[0].startswith("cannot create /proc/new: ")
    assert refusal("/proc/new/below", parents=True)[0].startswith("cannot create /proc/new/below: ")


def test_hints(tmp_path):
    (tmp_path / "file").touch()
    assert refusal(tmp_path / "file", force=False)[1] == "use --force to replace it"
    assert refusal(tmp_path / "missing" / "x")[1] == "make its folder first, or use --parents"


def test_names_as_long_as_they_may_be_and_bytes_that_are_no_text(tmp_path, way):
    for name in (b"x" * 255, "é".encode() * 127, b"\xff\xfe.py"):
        try:
            (tmp_path / os.fsdecode(name)).touch()
        except OSError:  # macOS takes no such bytes
            continue
        path = os.fsencode(tmp_path) + b"/" + name
        some = target(path)
        some.check()
        with some.candidate(b"check") as candidate:
            assert os.fsencode(candidate.name) == name
        some.commit(NEW)
        assert Path(os.fsdecode(path)).read_bytes() == NEW
    assert not [name for name in names(tmp_path) if "streamcli" in name]


def test_missing_folders_are_made_at_the_end_only(tmp_path, way):
    path = tmp_path / "a" / "b" / "x.py"
    new = target(path, force=False, parents=True)
    new.check()
    with new.candidate(b"check") as candidate:
        assert candidate.parent.parent == tmp_path
    assert names(tmp_path) == []
    new.commit(NEW)
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("force", [True, False])
def test_what_appears_meanwhile(tmp_path, way, force):
    path = tmp_path / "x.py"
    new = target(path, force=force)
    new.check()
    path.write_bytes(OLD)
    with pytest.raises(CannotCreate, match="changed by somebody else" if force else "exists already"):
        new.commit(NEW)
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["x.py"]


@pytest.mark.parametrize("force", [True, False])
def test_the_text_is_on_the_disk_before_its_name_is_and_then_the_folder(tmp_path, way, monkeypatch, force):
    path = tmp_path / "x.py"
    calls: list[str] = []

    def recorded(name: str, real):
        def call(*args, **kwargs):
            kind = "folder" if name == "fsync" and stat.S_ISDIR(os.fstat(args[0]).st_mode) else "file"
            calls.append(f"{name} {kind}" if name == "fsync" else name)
            return real(*args, **kwargs)

        return call

    for name in ("write", "fsync", "link", "rename"):
        monkeypatch.setattr(os, name, recorded(name, getattr(os, name)))
    target(path, force=force).commit(NEW)
    naming = [*(["link"] if way == "unnamed" or not force else []), *(["rename"] if force else [])]
    assert calls == ["write", "fsync file", *naming, "fsync folder"]


@pytest.mark.parametrize("moment", ["write", "fchmod", "rename"])
def test_a_file_that_is_being_written_is_not_swept_by_another_run(tmp_path, way, monkeypatch, moment):
    path = tmp_path / "x.py"
    path.write_bytes(OLD)
    some = target(path)
    real = getattr(os, moment)

    def meanwhile(*args, **kwargs):
        target(path).check()
        return real(*args, **kwargs)

    monkeypatch.setattr(os, moment, meanwhile)
    some.commit(NEW)
    assert path.read_bytes() == NEW


@pytest.mark.parametrize("links", [True, False])
def test_what_appears_at_the_very_last_moment_is_not_overwritten(tmp_path, way, monkeypatch, links):
    path = tmp_path / "x.py"
    new = target(path, force=False)
    link = os.link

    def late(*args, **kwargs):
        path.write_bytes(OLD)
        if not links:
            raise PermissionError(errno.EPERM, "no links on this file system")
        link(*args, **kwargs)

    monkeypatch.setattr(os, "link", late)
    with pytest.raises(CannotCreate, match="exists already"):
        new.commit(NEW)
    assert path.read_bytes() == OLD
    assert names(tmp_path) == ["x.py"]


def test_a_file_system_without_links(tmp_path, monkeypatch):
    def no_link(*args, **kwargs):
        raise PermissionError(errno.EPERM, "no links on this file system")

    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    monkeypatch.setattr(os, "link", no_link)
    target(tmp_path / "x.py", force=False).commit(NEW)
    assert (tmp_path / "x.py").read_bytes() == NEW
    assert names(tmp_path) == ["x.py"]


def test_a_file_that_became_something_else(tmp_path, way):
    path = tmp_path / "x.py"
    path.write_bytes(OLD)
    for make, what in ((os.mkdir, "a folder"), (os.mkfifo, "a FIFO")):
        some = target(path)
        some.check()
        path.unlink()
        make(path)
        with pytest.raises(CannotCreate, match=f"is {what}"):
            some.commit(NEW)
        assert names(tmp_path) == ["x.py"]
        path.rmdir() if what == "a folder" else path.unlink()
        path.write_bytes(OLD)


def test_what_others_write_between_reading_and_committing_is_not_undone(tmp_path):
    path = tmp_path / "x.py"
    path.write_bytes(OLD)
    edited = target(path)
    edited.old_text()
    path.write_bytes(OLD + b"by hand")
    with pytest.raises(CannotCreate, match="changed by somebody else"):
        edited.commit(NEW)
    assert path.read_bytes() == OLD + b"by hand"
    path.unlink()
    with pytest.raises(CannotCreate, match="changed by somebody else"):
        edited.commit(NEW)
    assert names(tmp_path) == []


def test_old_text_is_bounded(tmp_path):
    path = tmp_path / "x.py"
    with path.open("wb") as file:
        file.truncate(files.MAX_MESSAGE_BYTES)
    assert len(target(path).old_text() or b"") == files.MAX_MESSAGE_BYTES
    with path.open("r+b") as file:
        file.truncate(files.MAX_MESSAGE_BYTES + 1)
    with pytest.raises(InputError, match="larger than 32 MB"):
        target(path).old_text()


def test_a_full_disk(tmp_path):
    (tmp_path / "x.py").write_bytes(OLD)
    script = """
import os, resource, sys
from streamcli.errors import OutputError
from streamcli.store.files import Target
resource.setrlimit(resource.RLIMIT_FSIZE, (10000, 10000))
for name in ("x.py", "new.py", "a/b.py"):
    target = Target(name, force=True, parents=True)
    target.check()
    try:
        target.commit(b"x" * 20000)
    except OutputError as error:
        print(error.status, error.message)
    try:
        with target.candidate(b"x" * 20000):
            pass
    except OutputError as error:
        print(error.status, error.message)
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        f"74 cannot write {what}: File too large"
        for name in ("x.py", "new.py", "a/b.py")
        for what in (name, f"{os.path.basename(name)} for --check")
    ]
    assert (tmp_path / "x.py").read_bytes() == OLD
    assert names(tmp_path) == ["x.py"]


# In a process of its own: at the n-th call into the system it is killed, fails or is interrupted, for every n.
CALLS = ["close", "fchmod", "fchown", "fstat", "fsync", "getxattr", "link", "listxattr", "listdir", "mkdir", "open"]
CALLS += ["rename", "setxattr", "stat", "unlink", "write"]
SABOTAGE = f"""
import errno, itertools, json, os, signal, sys
from streamcli.errors import StreamcliError
from streamcli.store import files, temps
how, way, force, folder = sys.argv[1:]
os.chdir(folder)
if way == "named" and hasattr(os, "O_TMPFILE"):
    del os.O_TMPFILE
NEW = b"new text\\n" * 50_000
def child(limit):
    count = itertools.count()
    last = []
    def wrap(name, real):
        def call(*args, **kwargs):
            if next(count) == limit:
                last.append(name)
                if how == "kill":
                    os.kill(os.getpid(), signal.SIGKILL)
                if how == "interrupt":
                    raise KeyboardInterrupt
                raise OSError(getattr(errno, how), os.strerror(getattr(errno, how)))
            return real(*args, **kwargs)
        return call
    target = files.Target("sub/x.py", force=force == "force", parents=True)
    for name in {CALLS!r}:
        setattr(os, name, wrap(name, getattr(os, name)))
    try:
        target.commit(NEW)
        what = "done"
    except StreamcliError as error:
        what = str(error.status)
    except KeyboardInterrupt:
        what = "interrupted"
    limit = None
    print(json.dumps([what, *last]), flush=True)
    os._exit(0 if last else 1)
for limit in itertools.count():
    if force == "force":
        os.makedirs("sub", exist_ok=True)
        with open("sub/x.py", "wb") as file:
            file.write(b"old")
    elif os.path.exists("sub/x.py"):
        os.unlink("sub/x.py")
    reader, writer = os.pipe()
    if not os.fork():
        os.dup2(writer, 1)
        child(limit)
    os.close(writer)
    with open(reader) as pipe:
        told = pipe.read()
    _, status = os.wait()
    found = {{name: open("sub/" + name, "rb").read() for name in (os.listdir("sub") if os.path.isdir("sub") else [])}}
    content = found.pop("x.py", None)
    state = {{None: "none", b"old": "old", NEW: "new"}}.get(content, "torn")
    try:
        files.Target("sub/x.py", force=True, parents=True).check()
    except StreamcliError as error:
        found["check"] = str(error)
    after = sorted(set(os.listdir("sub") if os.path.isdir("sub") else []) - {{"x.py"}})
    print(json.dumps([json.loads(told or '["killed"]'), state, sorted(found), after]), flush=True)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 1:
        break
"""


@pytest.mark.parametrize("force", ["force", "new"])
@pytest.mark.parametrize("how", ["kill", "interrupt", "ENOSPC", "EIO", "EPERM"])
def test_whatever_happens_at_any_step_it_is_the_old_or_the_new_file(tmp_path, way, how, force):
    done = subprocess.run(
        [sys.executable, "-c", SABOTAGE, how, way, force, str(tmp_path)],
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    steps = [json.loads(line) for line in done.stdout.splitlines()]
    before = "old" if force == "force" else "none"
    assert len(steps) > 10
    for (what, *call), state, left, after in steps:
        step = f"{how} at {call}: {what}, {state}, {left}, {after}"
        assert state in (before, "new"), step
        assert after == [], step
        if what == "done":
            assert state == "new", step
        if what in ("73", "74") and call not in (["fsync"], ["close"], ["unlink"]):
            assert state == before, step
        if what not in ("killed", "interrupted") and call not in (["unlink"], ["close"]):
            assert left == [], step
        if what == "interrupted" and call != ["unlink"]:
            assert left == [], step
    assert steps[-1][0] == ["done"]
    assert {state for _, state, _, _ in steps} == {before, "new"}
    if how in ("ENOSPC", "EIO"):
        assert "73" not in {what for (what, *_), *_ in steps}


WRITER = """
import sys
from streamcli.store.files import Target
target = Target(sys.argv[1], force=True, parents=False)
print("ready", flush=True)
while True:
    for data in (b"a" * 1_500_000, b"b" * 1_500_000):
        target.commit(data)
"""


def test_killed_at_random_moments(tmp_path):
    path = tmp_path / "x.py"
    path.write_bytes(b"a" * 1_500_000)
    whole = {b"a" * 1_500_000, b"b" * 1_500_000}
    seen = set()
    for _ in range(30):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, env={"PYTHONPATH": str(ROOT)}
        ) as process:
            assert process.stdout.readline() == b"ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(random.uniform(0.0, 0.05))
            process.kill()
        content = path.read_bytes()
        assert content in whole
        seen.add(content)
        target(path).check()
        assert names(tmp_path) == ["x.py"]
    assert seen == whole


@pytest.mark.parametrize("kind", ["tmp", "check"])
def test_only_what_nobody_holds_is_swept_and_only_for_this_target(tmp_path, kind):
    def stale(name: str) -> Path:
        path = tmp_path / (f".{name}.streamcli-0123abcd.tmp" if kind == "tmp" else f"{name}.streamcli-0123abcd.check")
        if kind == "tmp":
            path.write_text("half")
        else:
            (path / "sub").mkdir(parents=True)
            (path / "sub" / "file").touch()
        return path

    mine, others = stale("x.py"), stale("y.py")
    alike = tmp_path / ".x.py.streamcli-0123abcd.tmp.txt"
    alike.touch()
    fd = os.open(mine, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    target(tmp_path / "x.py").check()
    assert mine.exists()
    os.close(fd)
    target(tmp_path / "x.py").check()
    assert not mine.exists()
    mine = stale("x.py")
    target(tmp_path / "x.py").commit(NEW)
    assert names(tmp_path) == sorted([alike.name, others.name, "x.py"])


def test_links_and_pipes_of_such_a_name_hurt_nobody(tmp_path):
    (tmp_path / "victim").write_bytes(OLD)
    (tmp_path / ".x.streamcli-00000000.tmp").symlink_to("victim")
    (tmp_path / "x.streamcli-00000000.check").symlink_to(tmp_path)
    os.mkfifo(tmp_path / ".x.streamcli-00000001.tmp")
    target(tmp_path / "x").check()
    assert (tmp_path / "victim").read_bytes() == OLD


def test_a_sweeper_that_comes_before_the_lock(tmp_path, monkeypatch):
    """The new file's name is taken away between its making and its locking: another one is made."""
    monkeypatch.delattr(os, "O_TMPFILE", raising=False)
    lock, calls = temps.lock, []

    def late(fd: int) -> bool:
        if not calls:
            calls.append(fd)
            for name in names(tmp_path):
                os.unlink(tmp_path / name)
        return lock(fd)

    monkeypatch.setattr(temps, "lock", late)
    target(tmp_path / "x.py").commit(NEW)
    assert calls
    assert (tmp_path / "x.py").read_bytes() == NEW
    assert names(tmp_path) == ["x.py"]


def test_a_candidate_has_the_target_s_name_in_a_folder_of_its_own_beside_it(tmp_path):
    path = tmp_path / "x.py"
    path.write_bytes(OLD)
    path.chmod(0o755)
    some = target(path)
    with some.candidate(NEW) as candidate, some.candidate(b"other") as second:
        assert candidate.read_bytes() == NEW
        assert second.read_bytes() == b"other"
        assert candidate.name == second.name == "x.py"
        assert candidate.parent.parent == tmp_path
        assert not candidate.parent.name.startswith(".")
        assert (mode(candidate.parent), mode(candidate)) == (0o700, 0o700)
        (candidate.parent / "__pycache__").mkdir()
        (candidate.parent / "__pycache__" / "x.pyc").touch()
        target(path).check()  # it is held: nobody sweeps it
        assert candidate.exists()
    assert names(tmp_path) == ["x.py"]
    assert path.read_bytes() == OLD


def test_a_candidate_is_gone_whatever_ends_the_block(tmp_path):
    def interrupted(error: type[BaseException]) -> None:
        with target(tmp_path / "x.py").candidate(NEW) as candidate:
            assert mode(candidate) == 0o600
            raise error

    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            interrupted(error)
    with target(tmp_path / "x.py").candidate(NEW) as candidate:
        candidate.unlink()
        candidate.parent.rmdir()
    assert names(tmp_path) == []


def test_a_candidate_for_standard_output(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Candidate(NEW, "candidate.py") as candidate:
        assert candidate.parent.parent == tmp_path
        assert candidate.read_bytes() == NEW
    assert names(tmp_path) == []
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    with pytest.raises(CannotCreate, match=r"cannot write candidate.py for --check: No such file"):
        Candidate(NEW, "candidate.py").__enter__()


def test_a_killed_run_s_candidate_is_swept_by_the_next(tmp_path):
    script = """
import os, signal, sys
from streamcli.store.files import Target
with Target(sys.argv[1], force=True, parents=False).candidate(b"x"):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    path = tmp_path / "x.py"
    subprocess.run([sys.executable, "-c", script, str(path)], env={"PYTHONPATH": str(ROOT)}, check=False)
    assert len(names(tmp_path)) == 1
    target(path).check()
    assert names(tmp_path) == []


AS_NOBODY = """
import os, sys
from streamcli.errors import StreamcliError
from streamcli.store.files import Target
os.chdir(sys.argv[1])
os.setgroups([4321])
os.setgid(1234)
os.setuid(1234)
def attempt(name, act):
    try:
        act(Target(name, force=True, parents=False))
    except StreamcliError as error:
        print(error.status, error.message)
attempt("closed/new", lambda target: target.check())
attempt("sticky/theirs", lambda target: target.check())
attempt("sticky/theirs", lambda target: target.commit(b"new"))
attempt("open/theirs", lambda target: target.commit(b"new"))
attempt("open/shared", lambda target: target.commit(b"new"))
attempt("open/secret", lambda target: target.old_text())
with Target("open/x", force=True, parents=False).candidate(b"x") as path:
    os.makedirs(path.parent / "a" / "b")
    os.chmod(path.parent / "a" / "b", 0)
    os.chmod(path.parent / "a", 0o500)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="makes files of several users")
def test_another_user_s_files(tmp_path):
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_mode & 0o005 != 0o005:
            above.chmod(above.stat().st_mode | 0o011)
    tmp_path.chmod(0o755)
    for name, bits in (("closed", 0o755), ("sticky", 0o1777), ("open", 0o777)):
        (tmp_path / name).mkdir()
        (tmp_path / name).chmod(bits)
        (tmp_path / name / "theirs").write_bytes(OLD)
        (tmp_path / name / "theirs").chmod(0o6764)
    (tmp_path / "open" / "secret").touch(0o600)
    (tmp_path / "open" / "shared").touch()
    os.chown(tmp_path / "open" / "shared", 0, 4321)
    (tmp_path / "open" / "shared").chmod(0o6764)
    done = subprocess.run(
        [sys.executable, "-c", AS_NOBODY, str(tmp_path)],
        env={"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "73 cannot create closed/new: Permission denied",
        "73 cannot create sticky/theirs: it belongs to another user, in a folder where only its owner may replace it",
        "73 cannot create sticky/theirs: Operation not permitted",
        "66 cannot read open/secret: Permission denied",
    ]
    assert names(tmp_path / "sticky") == ["theirs"]
    assert (tmp_path / "sticky" / "theirs").read_bytes() == OLD
    assert names(tmp_path / "open") == ["secret", "shared", "theirs"]
    replaced = (tmp_path / "open" / "theirs").stat()
    # Not theirs any more: no set-user-ID, and our group gets no more than everybody.
    assert (replaced.st_uid, stat.S_IMODE(replaced.st_mode)) == (1234, 0o744)
    shared = (tmp_path / "open" / "shared").stat()
    assert (shared.st_uid, shared.st_gid, stat.S_IMODE(shared.st_mode)) == (1234, 4321, 0o764)


MOUNTED = """
set -e
mount -t tmpfs -o size=100k none "$1"
cd "$1"
echo old > file; echo other > other; mkdir full ro
mount --bind other file
mount -t tmpfs -o ro none ro
"""


@LINUX
@pytest.mark.skipif(os.geteuid() != 0, reason="mounts")
def test_mounts_and_a_disk_that_is_really_full(tmp_path):
    script = """
import os, sys
from streamcli.errors import StreamcliError
from streamcli.store.files import Target
os.chdir(sys.argv[1])
def attempt(name, act):
    try:
        act(Target(name, force=True, parents=True))
    except StreamcliError as error:
        print(error.status, error.message)
attempt("file", lambda target: target.check())
attempt("file", lambda target: target.commit(b"new"))
attempt("ro/file", lambda target: target.check())
attempt("other", lambda target: target.commit(b"x" * 200_000))
attempt("new/x", lambda target: target.commit(b"x" * 200_000))
attempt("other", lambda target: target.commit(b"fits"))
print(sorted(os.listdir()), open("other").read())
"""
    outer = ["unshare", "--mount", "sh", "-c", MOUNTED + 'exec "$2" -c "$3" "$1"', "sh"]
    command = [*outer, str(tmp_path), sys.executable, script]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip(done.stderr.strip())
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "73 cannot create file: it is mounted there by itself, and cannot be replaced",
        "73 cannot create file: Device or resource busy",
        "73 cannot create ro/file: Read-only file system",
        "74 cannot write other: No space left on device",
        "74 cannot write new/x: No space left on device",
        "['file', 'full', 'other', 'ro'] fits",
    ]
