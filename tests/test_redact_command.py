"""`streamcli redact` as a citizen of the pipe."""

import signal

import pytest
from redact_samples import BY_FORM

RULES = "[[rules]]\nid = 'acme-key'\nregex = '''acme_[0-9]{6}'''\nkeywords = ['acme_']\n"


def test_it_masks_what_is_secret_and_keeps_every_other_byte(run):
    result = run("redact", stdin=b"password=hunter2\r\n\xff\xfe plain\n\nlast " + BY_FORM["GITHUB_TOKEN"](1).encode())
    assert result.status == 0
    first, second, third, last = result.stdout.split(b"\n")
    assert first.startswith(b"password=<PASSWORD:")
    assert first.endswith(b">\r")
    assert (second, third) == (b"\xff\xfe plain", b"")
    assert last.startswith(b"last <GITHUB_TOKEN:")
    assert last.endswith(b">")
    assert result.stderr == "streamcli: 2 secrets were masked: 1 password, 1 GitHub token\n"


def test_quiet_says_nothing_and_nor_does_what_finds_nothing(run):
    assert run("redact", "-q", stdin=b"password=hunter2\n").stderr == ""
    assert run("redact", stdin=b"all is well\n").stderr == ""
    assert run("redact", stdin=b"").status == 0


def test_lines_come_out_as_they_come_in(spawn):
    process = spawn("redact", stdin="pipe")
    for number in (b"1", b"2"):
        process.write(b"line " + number + b" token=abcdef123456\n")
        process.read_until(b"line " + number + b" token=<TOKEN:")
    process.close_stdin()
    assert process.finish().status == 0


def test_hashes_differ_between_runs(run):
    assert run("redact", stdin=b"password=hunter2").stdout != run("redact", stdin=b"password=hunter2").stdout


def test_more_rules_come_from_a_file(run, tmp_path):
    path = tmp_path / "rules.toml"
    path.write_text(RULES)
    result = run("redact", "--redact-rules", str(path), stdin=b"acme_123456 password=hunter2\n")
    assert result.stdout.startswith(b"<ACME_KEY:")
    assert result.stderr == "streamcli: 2 secrets were masked: 1 acme-key, 1 password\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [(None, "cannot read the rules"), ("[[rules]]\nid='odd'\nregex='('", "rule odd"), ("[", "is not TOML")],
)
def test_a_bad_file_is_bad_configuration(content, said, run, tmp_path):
    path = tmp_path / "rules.toml"
    if content is not None:
        path.write_text(content)
    result = run("redact", "--redact-rules", str(path), stdin=b"password=hunter2\n")
    assert (result.status, result.stdout) == (78, b"")
    assert said in result.stderr
    assert str(path) in result.stderr


def test_pii_is_masked_on_demand(run):
    line = b"from 10.0.0.1\n"
    assert run("redact", stdin=line).stdout == line
    result = run("redact", "--pii", stdin=line)
    assert result.stdout.startswith(b"from <IP:")
    assert result.stderr == "streamcli: 1 personal detail was masked: 1 IP address\n"


def test_a_terminal_as_input_is_a_usage_error(spawn):
    process = spawn("redact", stdin="tty")
    assert process.wait() == 2


def test_a_reader_that_leaves_ends_it_by_sigpipe_in_silence(spawn):
    process = spawn("redact", stdin="pipe")
    process.write(b"password=hunter2\n")
    process.read_until(b"<PASSWORD:")
    process.close("stdout")
    process.drain()
    assert process.wait() == -signal.SIGPIPE
    assert process.captured("stderr") == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_what_it_masked(number, spawn):
    process = spawn("redact", stdin="pipe")
    process.write(b"password=hunter2\n")
    process.read_until(b"<PASSWORD:")
    process.signal(number)
    result = process.finish()
    assert result.status == -number
    assert result.stderr == "streamcli: 1 secret was masked: 1 password\n"


def test_a_full_disk_is_an_error(run):
    result = run("redact", stdin=b"password=hunter2\n", stdout="/dev/full")
    assert result.status == 74


def test_memory_is_bounded_by_a_line_whatever_its_length(run):
    short = run("redact", stdin=b"x" * 1000)
    long = run("redact", stdin=b"x" * 30_000_000)
    assert b"bytes of this line cut" in long.stdout
    assert len(long.stdout) < 1_100_000
    assert long.stderr == "streamcli: 1 line was too long to be masked, and is cut\n"
    if short.peak_kb:
        assert long.peak_kb < short.peak_kb + 20_000
