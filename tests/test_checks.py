"""--check: real commands, what they are given, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
import sys
import time
from pathlib import Path

import pytest

from streamcli.edge import checks
from streamcli.edge.checks import CheckResult, check_command, run_check
from streamcli.edge.clock import StopAwareLoop
from streamcli.errors import UsageError

SHOW = f"{sys.executable} -c 'import sys; print(sys.argv[1:])'"


def run(
    command: str, path: str = "/tmp/a b/x.py", *, shell: bool = False, time_limit: float = 20.0, cwd=None
) -> CheckResult:
    """On the loop that the program has."""
    with asyncio.Runner(loop_factory=StopAwareLoop) as runner:
        return runner.run(run_check(command, Path(path), shell=shell, time_limit=time_limit, cwd=cwd))


def python(code: str) -> str:
    return f"{sys.executable} -c {shlex.quote(code)}"


def wait_for_pid(path: Path) -> int:
    give_up = time.monotonic() + 20
    while time.monotonic() < give_up:
        if path.exists() and path.read_text().endswith("\n"):
            return int(path.read_text())
        time.sleep(0.01)
    raise AssertionError(f"{path} was not written")


def ends(pid: int) -> bool:
    """Whether the process is gone, or a zombie that only waits to be counted, within ten seconds."""
    give_up = time.monotonic() + 10
    while time.monotonic() < give_up:
        try:
            os.kill(pid, 0)
            with open(f"/proc/{pid}/stat") as file:
                if file.read().rpartition(")")[2].split()[0] == "Z":
                    return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.01)
    return False


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        (SHOW, ["/tmp/a b/x.py"]),
        (SHOW + " {} -q", ["/tmp/a b/x.py", "-q"]),
        (SHOW + " --file={} '{}:{}' 'a b'", ["--file=/tmp/a b/x.py", "/tmp/a b/x.py:/tmp/a b/x.py", "a b"]),
        (SHOW + " '$HOME' '*' ';' '|'", ["$HOME", "*", ";", "|", "/tmp/a b/x.py"]),
    ],
)
def test_the_path_takes_the_place_of_the_braces_and_there_is_no_shell(command, arguments):
    assert run(command) == CheckResult(0, f"{arguments}\n", False)


@pytest.mark.parametrize(
    ("command", "status", "output"),
    [
        ("printf '%s.' {} | tr a A", 0, "/tmp/A 'b'; exit 9/x.py."),
        ("printf '%s.' {}; exit 3", 3, "/tmp/a 'b'; exit 9/x.py."),
        ("printf '%s.' one\n", 0, "one./tmp/a 'b'; exit 9/x.py."),
    ],
)
def test_a_shell_when_asked_for(command, status, output):
    assert run(command, "/tmp/a 'b'; exit 9/x.py", shell=True) == CheckResult(status, output, False)


@pytest.mark.parametrize(
    ("code", "status"), [("exit(0)", 0), ("exit(7)", 7), ("import os; os.kill(os.getpid(), 9)", -9)]
)
def test_the_status(code, status):
    result = run(python(code))
    assert (result.status, result.passed, result.timed_out) == (status, status == 0, False)


def test_both_streams_in_their_order_and_bytes_that_are_no_text():
    code = "import os; os.write(1, b'a\\xff'); os.write(2, b'b'); os.write(1, 'é'.encode())"
    assert run(python(code)).output == "a\\xffbé"


def test_long_output_keeps_its_end():
    code = "import sys; sys.stdout.writelines(f'{n:09}\\n' for n in range(200000)); print('the verdict')"
    output = run(python(code)).output
    first, _, rest = output.partition("\n")
    lines = rest.splitlines()
    assert first == f"(the first {2_000_012 - len(rest)} bytes of the output are left out)"
    assert 65_000 < len(rest) <= checks.OUTPUT_BYTES
    assert lines[-2:] == ["000199999", "the verdict"]
    assert all(len(line) == 9 for line in lines[:-1])


def test_a_long_line_keeps_its_end_too():
    output = run(python("print('a' * 100000 + 'b')")).output
    assert (
        output
        == f"(the first {100_002 - checks.OUTPUT_BYTES} bytes of the output are left out)\n" + "a" * 65534 + "b\n"
    )


def test_it_has_no_input_no_terminal_and_no_keys(monkeypatch, tmp_path):
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS"):
        monkeypatch.setenv(name, "secret-secret")
    monkeypatch.setenv("MINE", "kept")
    code = "import os, sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid(), os.getcwd(), dict(os.environ))"
    output = run(python(code), cwd=tmp_path).output
    assert output.startswith(f"'' True {tmp_path} ")
    assert "'MINE': 'kept'" in output
    assert "secret-secret" not in output


@pytest.mark.parametrize("obedient", [True, False])
def test_the_time_limit_ends_the_whole_group(tmp_path, obedient):
    pid = tmp_path / "pid"
    ignore = "" if obedient else "trap '' TERM; "
    script = (
        f"{ignore}echo begun; (echo $(exec sh -c 'echo $PPID') > {pid}; while :; do sleep 100; done) & wait; sleep 100"
    )
    begun = time.monotonic()
    result = run(f"{script} #", shell=True, time_limit=2.0)
    assert result == CheckResult(None, "begun\n", True)
    assert time.monotonic() - begun < 10
    assert ends(wait_for_pid(pid))


def test_no_limit():
    assert run(python("pass"), time_limit=0).status == 0


def test_what_the_command_leaves_in_its_group_is_ended_and_its_pipe_is_not_waited_for(tmp_path):
    pid = tmp_path / "pid"
    begun = time.monotonic()
    result = run(f"sleep 100 & echo $! > {pid}; echo done #", shell=True)
    assert result == CheckResult(0, "done\n", False)
    assert time.monotonic() - begun < 10
    assert ends(wait_for_pid(pid))


def test_a_daemon_that_keeps_the_pipe_open_and_writes_on_hangs_nobody(tmp_path):
    pid = tmp_path / "pid"
    code = f"""
import os, sys
print("done", flush=True)
if not os.fork():
    os.setsid()
    with open({str(pid)!r}, "w") as file:
        print(os.getpid(), file=file)
    while True:
        os.write(1, b"more\\n" * 1000)
import pathlib, time
while not (pathlib.Path({str(pid)!r}).exists() and pathlib.Path({str(pid)!r}).read_text()):
    time.sleep(0.01)
os._exit(0)
"""
    begun = time.monotonic()
    result = run(python(code))
    assert result.status == 0
    assert time.monotonic() - begun < 10
    assert ends(wait_for_pid(pid))  # by SIGPIPE: nobody holds the other end


def test_a_command_that_closes_its_output_is_waited_for_at_rest():
    code = "import os, time; os.close(1); os.close(2); time.sleep(1); os._exit(5)"
    begun = time.process_time()
    assert run(python(code)).status == 5
    assert time.process_time() - begun < 0.5


@pytest.mark.parametrize("stubborn", [False, True])
async def test_cancelled_it_ends_the_group(tmp_path, stubborn):
    pid = tmp_path / "pid"
    tidied = tmp_path / "tidied"
    tidy = f"lambda *_: (open({str(tidied)!r}, 'w').close(), os._exit(0))"
    handler = f"signal.signal(signal.SIGTERM, {'signal.SIG_IGN' if stubborn else tidy})"
    tell = f"print(os.getpid(), file=open({str(pid)!r}, 'w'), flush=True)"
    code = f"import os, signal, time; {handler}; {tell}; time.sleep(100)"
    task = asyncio.create_task(run_check(python(code), tmp_path, shell=False, time_limit=100))
    number = await asyncio.to_thread(wait_for_pid, pid)
    task.cancel()
    if stubborn:  # a second time, while it is waited for
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert tidied.exists() is not stubborn
    with pytest.raises(ProcessLookupError):
        os.kill(number, 0)


def test_an_interrupt_ends_it(tmp_path):
    pid = tmp_path / "pid"
    code = f"import os, time; print(os.getpid(), file=open({str(pid)!r}, 'w'), flush=True); time.sleep(100)"

    async def interrupted() -> None:
        task = asyncio.create_task(run_check(python(code), tmp_path, shell=False, time_limit=100))
        await asyncio.to_thread(wait_for_pid, pid)
        os.kill(os.getpid(), signal.SIGINT)
        await task

    with asyncio.Runner(loop_factory=StopAwareLoop) as runner, pytest.raises(KeyboardInterrupt):
        runner.run(interrupted())
    with pytest.raises(ProcessLookupError):
        os.kill(wait_for_pid(pid), 0)


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("", "--check: the command is empty"),
        ("  ", "--check: the command is empty"),
        ("''", "--check: the command is empty"),
        ("pytest 'x", "--check: no closing quotation: pytest 'x"),
        ("no-such-command {}", "--check: no-such-command: no such command"),
        ("/etc/passwd {}", "--check: /etc/passwd: no such command"),
        ("A=1 pytest {}", "--check: A=1: no such command"),
    ],
)
def test_what_cannot_be_run_is_found_out_beforehand(command, message):
    with pytest.raises(UsageError) as raised:
        check_command(command, shell=False)
    assert raised.value.message == message
    assert raised.value.status == 2


def test_what_can_be_run():
    check_command("ls -l {}", shell=False)
    check_command("{} --version", shell=False)
    check_command("A=1 no-such-command 'x | cat", shell=True)
    with pytest.raises(UsageError):
        check_command("", shell=True)


def test_what_cannot_be_run_after_all(tmp_path):
    script = tmp_path / "script"
    script.write_text("no program")
    script.chmod(0o755)
    with pytest.raises(UsageError, match=r"script: Exec format error"):
        run(str(script))
    with pytest.raises(UsageError, match=r"missing: No such file or directory"):
        run(str(tmp_path / "missing"))
