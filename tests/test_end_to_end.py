"""Each verb against a real language model, as a user runs it. What so small a model says is its own affair."""

import json
import os
import signal
from pathlib import Path

import pytest
from harness import ROOT

# One process at a time uses a model.
pytestmark = pytest.mark.xdist_group("model")

MODEL = ["--model", "local:smollm2"]
# The model's weights stay where every run of the tests finds them; the rest of the environment is hermetic.
CACHE = os.environ.get("STREAMCLI_CACHE_DIR") or str(Path(os.environ.get("HOME", "/tmp")) / ".cache" / "streamcli")
REAL = {"STREAMCLI_CACHE_DIR": CACHE, "ANTHROPIC_API_KEY": None, "ANTHROPIC_BASE_URL": None}


@pytest.fixture(scope="session", autouse=True)
def weights() -> None:
    """Fetched once, ahead, so that no test's time limit has to allow for it."""
    import subprocess
    import sys

    fetch = [sys.executable, "-m", "streamcli", "models", "fetch", "local:smollm2"]
    subprocess.run(fetch, check=True, cwd=ROOT, env={**os.environ, "STREAMCLI_CACHE_DIR": CACHE}, timeout=600)


def test_chat(run):
    result = run("chat", *MODEL, "Say hello.", env=REAL, timeout=120)
    assert (result.status, result.stderr) == (0, "")
    assert result.text.strip()


def test_gen(run):
    result = run("gen", *MODEL, "--max-tokens", "200", "A Python function that adds two numbers", env=REAL, timeout=120)
    assert result.status in (0, 5)
    assert result.text.strip()
    assert "```" not in result.text


@pytest.mark.parametrize("task", ["A Python function that adds two numbers", "A Python class for a red-black tree"])
def test_the_status_and_the_file_agree_whatever_the_model_writes(task, run, tmp_path):
    path = tmp_path / "code.py"
    options = ["--max-tokens", "250", "--attempts", "2", "-o", str(path), "--check", "test -s {}"]
    result = run("gen", *MODEL, *options, task, env=REAL, timeout=180)
    assert (result.status, result.stdout) in ((0, b""), (5, b""), (65, b"")), result
    assert path.exists() == (result.status == 0)
    if path.exists():
        compile(path.read_text(), "code.py", "exec")


def test_an_answer_that_was_interrupted_is_picked_up(run, spawn):
    """By a prefill: the model goes on from the very text."""
    ask = [*MODEL, "--max-tokens", "60", "Count from 1 to 100."]
    process = spawn("chat", *ask, "--coalesce", "0", env=REAL)
    process.read_until(b" ", timeout=60)  # what so small a model says differs from run to run
    process.signal(signal.SIGKILL)
    shown = process.finish().stdout
    resumed = run("chat", *ask, "--resume", env=REAL, timeout=120)
    assert resumed.status in (0, 5), resumed
    assert resumed.stdout.startswith(shown)
    assert len(resumed.stdout) > len(shown)
    assert "the answer is continued by a new request" in resumed.stderr


def test_analyze_the_end_of_a_log(run):
    log = (ROOT / "tests" / "data" / "shop.log").read_bytes().splitlines(keepends=True)
    options = ["--window-tokens", "300", "--max-tokens", "100", "-f", "json"]
    result = run("analyze", *MODEL, *options, stdin=b"".join(log[-200:]), env=REAL, timeout=180)
    events = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.status in (0, 5)
    assert sum(event["lines"] for event in events if event["type"] == "window") == 200
    assert sum(event["type"] == "window" for event in events) <= 2
    assert any(event["type"] == "delta" for event in events)


def test_output_arrives_while_the_model_writes_and_control_c_stops_it(spawn):
    process = spawn("chat", *MODEL, "Tell a very long story about a pipe.", env=REAL)
    process.read_until(b" ", timeout=60)
    assert process.status is None
    process.signal(signal.SIGINT)
    assert process.wait() == -signal.SIGINT


def test_tokens_are_counted_by_the_embedded_server(run):
    result = run("chat", *MODEL, "--count-tokens", "one two three", env=REAL, timeout=60)
    assert result.status == 0
    assert 10 < int(result.text) < 200


def test_a_prompt_over_its_context_is_refused_plainly(run):
    result = run("chat", *MODEL, "What is this?", stdin=b"word " * 9000, env=REAL, timeout=120)
    assert (result.status, result.stdout) == (1, b"")
    # The server of the test before may not be gone yet, and is waited for with a notice.
    said = [line for line in result.stderr.splitlines() if "the embedded model is busy" not in line]
    assert said[0].startswith("streamcli: the server answered 400: ")
