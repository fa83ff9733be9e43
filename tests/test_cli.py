"""The command line -> frozen settings, or one clear line about what is wrong with it."""

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from pathlib import Path

import pytest

from streamcli import __version__
from streamcli.cli import parse
from streamcli.config import (
    AnalyzeSettings,
    AnswersSettings,
    ChatSettings,
    FetchSettings,
    GenSettings,
    SessionsSettings,
)
from streamcli.core.models import DEFAULT_MODEL, DEFAULT_WATCH_MODEL
from streamcli.errors import ConfigError, StreamcliError, UsageError

ROOT = Path(__file__).resolve().parent.parent
VERBS = ("chat", "gen", "analyze")
DEFAULTS = {
    "chat": ChatSettings(verb="chat", model=DEFAULT_MODEL),
    "gen": GenSettings(verb="gen", model=DEFAULT_MODEL),
    "analyze": AnalyzeSettings(verb="analyze", model=DEFAULT_WATCH_MODEL),
}

COMMON = [
    (["-m", "x"], "model", "x"),
    (["--model", "local:some file.gguf"], "model", "local:some file.gguf"),
    (["-s", "be brief"], "system", "be brief"),
    (["--system", ""], "system", ""),
    (["--max-tokens", "7"], "max_tokens", 7),
    (["--base-url", "http://h:1/"], "base_url", "http://h:1/"),
    (["--timeout", "2.5"], "timeout", 2.5),
    (["--timeout", "0"], "timeout", 0.0),
    (["--connect-timeout", "3"], "connect_timeout", 3.0),
    (["--idle-timeout", "4"], "idle_timeout", 4.0),
    (["--retries", "0"], "retries", 0),
    (["--coalesce", "0"], "coalesce", 0),
    (["--coalesce-delay", "250"], "coalesce_delay", 0.25),
    (["-f", "json"], "format", "json"),
    (["--format=text"], "format", "text"),
    (["--color", "never"], "color", "never"),
    (["-q"], "quiet", True),
    (["-v"], "verbose", True),
    (["--dry-run"], "dry_run", True),
    (["--count-tokens"], "count_tokens", True),
    (["--on-break", "fail"], "on_break", "fail"),
    (["--cache"], "cache", True),
    (["--resume"], "resume", True),
    (["--redact"], "redact", True),
    (["--no-redact"], "redact", False),
    (["--redact-rules", "a.toml"], "redact_rules", "a.toml"),
    (["--usage"], "usage", True),
    (["--max-cost", "0.5"], "max_cost", 0.5),
    (["--max-total-tokens", "0"], "max_total_tokens", 0),
    (["--keep-mb", "5"], "keep_mb", 5),
    (["--keep-days", "0.5"], "keep_days", 0.5),
]
MESSAGE = [
    (["--jobs", "32"], "jobs", 32),
    (["--unordered"], "unordered", True),
]
CHAT = [
    (["-a", "a.png"], "attach", ("a.png",)),
    (["--attach", "b", "-a", "a b"], "attach", ("b", "a b")),
]
ANALYZE = [
    (["--lines", "3"], "lines", 3),
    (["--every", "0.5"], "every", 0.5),
    (["--idle", "2"], "idle", 2.0),
    (["--window-tokens", "100"], "window_tokens", 100),
    (["--record-start", "^\\d"], "record_start", "^\\d"),
    (["--on-overload", "drop-oldest"], "on_overload", "drop-oldest"),
    (["--jobs", "32"], "jobs", 32),
    (["--max-requests-per-minute", "0"], "max_requests_per_minute", 0),
    (["--budget-per-hour", "0.5"], "budget_per_hour", 0.5),
    (["--on-interrupt", "flush"], "on_interrupt", "flush"),
    (["--fail-on", "error"], "fail_on", "ERROR"),
    (["--fail-on", "WARNING"], "fail_on", "WARNING"),
    (["--skip-ok"], "skip_ok", True),
    (["--context", "3"], "context", 3),
    (["--follow", "a.log", "--follow", "b.log"], "follow", ("a.log", "b.log")),
    (["--from-start"], "from_start", True),
    (["--pii"], "pii", True),
    (["--report", "a.html"], "report", "a.html"),
    (["--transform", "a", "--transform", "b"], "transforms", ("a", "b")),
]
CHAT = [
    (["--session", "work"], "session", "work"),
    (["-c"], "goes_on", True),
    (["--continue"], "goes_on", True),
    (["--converse"], "converse", True),
    (["--max-history", "0"], "max_history", 0),
    (["--max-history-tokens", "5000"], "max_history_tokens", 5000),
]
GEN = [
    (["-o", "a.py"], "output", "a.py"),
    (["--output", "a.py"], "output", "a.py"),
    (["--edit", "a.py"], "edit", "a.py"),
    (["--force"], "force", True),
    (["--parents"], "parents", True),
    (["--diff"], "diff", True),
    (["--lang", "go"], "lang", "go"),
    (["--block", "last"], "block", "last"),
    (["--block", "3"], "block", 3),
    (["--raw"], "raw", True),
    (["--check", "ruff check {}"], "check", "ruff check {}"),
    (["--check-shell"], "check_shell", True),
    (["--check-timeout", "5"], "check_timeout", 5.0),
    (["--attempts", "3"], "attempts", 3),
    (["--annotate", "github"], "annotate", "github"),
]
VARIABLES = [
    ("MODEL", "x", "model", "x"),
    ("SYSTEM", "be brief", "system", "be brief"),
    ("MAX_TOKENS", "7", "max_tokens", 7),
    ("BASE_URL", "http://h:1/", "base_url", "http://h:1/"),
    ("TIMEOUT", "2.5", "timeout", 2.5),
    ("CONNECT_TIMEOUT", "3", "connect_timeout", 3.0),
    ("IDLE_TIMEOUT", "4", "idle_timeout", 4.0),
    ("RETRIES", "0", "retries", 0),
    ("COALESCE", "0", "coalesce", 0),
    ("COALESCE_DELAY", "250", "coalesce_delay", 0.25),
    ("FORMAT", "json", "format", "json"),
    ("COLOR", "always", "color", "always"),
    ("QUIET", "1", "quiet", True),
    ("VERBOSE", "yes", "verbose", True),
    ("ON_BREAK", "fail", "on_break", "fail"),
    ("CACHE", "1", "cache", True),
    ("USAGE", "1", "usage", True),
    ("REDACT_RULES", "a.toml", "redact_rules", "a.toml"),
    ("MAX_COST", "0.5", "max_cost", 0.5),
    ("MAX_TOTAL_TOKENS", "9", "max_total_tokens", 9),
    ("KEEP_MB", "5", "keep_mb", 5),
    ("KEEP_DAYS", "0.5", "keep_days", 0.5),
]


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """Nothing of the user's in the environment."""
    for name in [name for name in os.environ if name.startswith(("STREAMCLI_", "_STREAMCLI"))]:
        monkeypatch.delenv(name)


def settings_of(*arguments):
    return parse(list(arguments)).settings


def changed(verb, field, value):
    """What a setting changes: chat knows whether a model was given, since a session has one of its own."""
    return {field: value, "is_model_given": True} if (verb, field) == ("chat", "model") else {field: value}


def complaint(*arguments):
    """What is wrong with a command line."""
    with pytest.raises(StreamcliError) as caught:
        parse(list(arguments))
    error = caught.value
    for text in (error.message, error.hint or "x"):
        assert text.splitlines() == [text]
        assert text.strip().rstrip(".") == text
    assert not error.message[0].isupper()
    return error


# --- defaults, options, environment ---


@pytest.mark.parametrize("verb", VERBS)
def test_the_defaults(verb):
    assert settings_of(verb) == DEFAULTS[verb]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["list"], SessionsSettings()),
        (["show", "a b"], SessionsSettings(names=("a b",))),
        (["rename", "a", "b"], SessionsSettings(names=("a", "b"))),
        (["rm", "a", "b", "c"], SessionsSettings(names=("a", "b", "c"))),
        (["export", "a"], SessionsSettings(names=("a",))),
        (["export", "a", "-f", "json"], SessionsSettings(names=("a",), format="json")),
    ],
)
def test_sessions(words, expected):
    assert settings_of("sessions", *words) == expected


def test_the_documented_defaults():
    settings = settings_of("chat", "hi")
    assert (
        settings.answer_limit,
        settings.timeout,
        settings.connect_timeout,
        settings.idle_timeout,
        settings.retries,
        settings.coalesce,
        settings.coalesce_delay,
        settings.format,
    ) == (8192, 600.0, 10.0, 90.0, 4, 32, 0.04, None)


@pytest.mark.parametrize(
    ("verb", "options", "field", "value"),
    [(verb, *option) for verb in VERBS for option in COMMON]
    + [("analyze", *option) for option in ANALYZE]
    + [(verb, *option) for verb in ("chat", "gen") for option in MESSAGE]
    + [("chat", *option) for option in CHAT]
    + [("gen", *option) for option in GEN],
)
def test_an_option_sets_its_field_and_no_other(verb, options, field, value):
    words = {"words": ("hi",)} if verb == "analyze" else {}
    assert settings_of(verb, "hi", *options) == replace(
        DEFAULTS[verb], prompt="hi", **words, **changed(verb, field, value)
    )


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize(("name", "text", "field", "value"), VARIABLES)
def test_a_variable_sets_its_field_and_no_other(verb, name, text, field, value, monkeypatch):
    monkeypatch.setenv(f"STREAMCLI_{name}", text)
    assert settings_of(verb) == replace(DEFAULTS[verb], **changed(verb, field, value))


@pytest.mark.parametrize("verb", VERBS)
def test_transforms_can_come_from_the_environment_and_do_not_concern_gen(verb, monkeypatch):
    monkeypatch.setenv("STREAMCLI_TRANSFORM", "a b")
    assert settings_of(verb).transforms == (() if verb == "gen" else ("a", "b"))


@pytest.mark.parametrize(
    ("options", "field", "value"),
    [option for option in COMMON + ANALYZE if option[1] not in ("dry_run", "count_tokens")],
)
def test_an_option_goes_before_its_variable(options, field, value, monkeypatch):
    other = {"format": "json", "color": "always", "quiet": "0", "verbose": "0"}.get(field, "300")
    monkeypatch.setenv(f"STREAMCLI_{field.upper()}", other)
    assert getattr(settings_of("analyze", *options), field) == value


@pytest.mark.parametrize("verb", ["chat", "gen"])
def test_each_record_a_prompt_and_the_results_json_unless_text_is_asked_for(verb):
    for form in ("lines", "nul", "jsonl"):
        assert settings_of(verb, "--each", form) == replace(DEFAULTS[verb], each=form, format="json")
    assert settings_of(verb, "--each", "nul", "-f", "text") == replace(DEFAULTS[verb], each="nul", format="text")


@pytest.mark.parametrize(
    "name",
    [
        "NO_STDIN",
        "DRY_RUN",
        "COUNT_TOKENS",
        "EACH",
        "RESUME",
        "ATTACH",
        "SESSION",
        "CONTINUE",
        "PROMPT",
        "VERSION",
        "HELP",
    ],
)
def test_what_is_said_anew_each_time_has_no_variable(name, monkeypatch):
    monkeypatch.setenv(f"STREAMCLI_{name}", "1")
    assert settings_of("chat") == DEFAULTS["chat"]


@pytest.mark.parametrize("name", [name for name, *_ in VARIABLES])
def test_an_empty_variable_is_none(name, monkeypatch):
    monkeypatch.setenv(f"STREAMCLI_{name}", "")
    assert settings_of("chat") == DEFAULTS["chat"]


def test_settings_are_frozen():
    with pytest.raises(FrozenInstanceError):
        settings_of("chat", "hi").model = "x"


# --- the prompt and stdin ---


@pytest.mark.parametrize(
    ("words", "prompt"),
    [
        (["why", "is  it", "-q", "so?"], "why is  it so?"),
        (["--", "-n", "--model"], "-n --model"),
        (["two\nlines"], "two\nlines"),
        (["caf\udce9"], "caf\udce9"),
        (["é😀"], "é😀"),
        ([], ""),
    ],
)
def test_the_prompt_is_its_words_joined(words, prompt):
    assert settings_of("chat", *words).prompt == prompt


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("flag", ["-n", "--no-stdin"])
def test_stdin_need_not_be_read(verb, flag):
    assert settings_of(verb, flag) == replace(DEFAULTS[verb], read_stdin=False)


# --- what makes no sense ---

BAD_COMMAND_LINES = [
    (["frobnicate"], "frobnicate"),
    (["--frobnicate"], "--frobnicate"),
    (["chat", "--frobnicate"], "--frobnicate"),
    (["chat", "-x", "hi"], "-x"),
    (["chat", "--retry", "3", "hi"], "--retry"),
    (["chat", "-a", "", "hi"], "--attach"),
    (["gen", "-a", "x", "hi"], "-a"),
    (["chat", "--lines", "3", "hi"], "--lines"),
    (["chat", "hi", "--timeout"], "--timeout"),
    (["chat", "hi", "-m"], "-m"),
    (["chat", "--quiet=3", "hi"], "--quiet"),
    (["chat", "--retries", "many", "hi"], "--retries"),
    (["chat", "--retries", "a\nb", "hi"], "--retries"),
    (["chat", "--retries", "4.5", "hi"], "--retries"),
    (["chat", "--retries", "-1", "hi"], "--retries"),
    (["chat", "--max-tokens", "0", "hi"], "--max-tokens"),
    (["chat", "--coalesce", "-1", "hi"], "--coalesce"),
    (["chat", "--coalesce-delay", "-1", "hi"], "--coalesce-delay"),
    (["chat", "--coalesce-delay", "inf", "hi"], "--coalesce-delay"),
    (["chat", "--timeout", "soon", "hi"], "--timeout"),
    (["chat", "--timeout=-1", "hi"], "--timeout"),
    (["chat", "--timeout", "nan", "hi"], "--timeout"),
    (["chat", "--timeout", "inf", "hi"], "--timeout"),
    (["chat", "--connect-timeout", "-inf", "hi"], "--connect-timeout"),
    (["chat", "--idle-timeout", "nan", "hi"], "--idle-timeout"),
    (["chat", "-f", "xml", "hi"], "xml"),
    (["chat", "-f", "\x1b[31m\n", "hi"], "--format"),
    (["gen", "--format", "", "hi"], "--format"),
    (["analyze", "--lines", "0"], "--lines"),
    (["analyze", "--every", "nan"], "--every"),
    (["analyze", "--idle=-1"], "--idle"),
    (["analyze", "--window-tokens", "99"], "--window-tokens"),
    (["models"], "command"),
    (["models", "fetch"], "NAME"),
    (["models", "fetch", "a", "b"], "b"),
    (["models", "burn"], "burn"),
]


@pytest.mark.parametrize(("arguments", "about"), BAD_COMMAND_LINES)
def test_a_command_line_that_makes_no_sense_is_said_to_in_one_line(arguments, about):
    error = complaint(*arguments)
    assert (type(error), error.status, about in error.message) == (UsageError, 2, True)
    assert error.hint.endswith("--help")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("RETRIES", "many"),
        ("RETRIES", "a\nb"),
        ("MAX_TOKENS", "0"),
        ("TIMEOUT", "nan"),
        ("IDLE_TIMEOUT", "inf"),
        ("COALESCE_DELAY", "-1"),
        ("FORMAT", "xml"),
        ("QUIET", "perhaps"),
    ],
)
def test_a_variable_that_makes_no_sense_is_bad_configuration_and_named(name, value, monkeypatch):
    monkeypatch.setenv(f"STREAMCLI_{name}", value)
    error = complaint("chat", "hi")
    assert (type(error), error.status, f"STREAMCLI_{name}" in error.message) == (ConfigError, 78, True)


@pytest.mark.parametrize(
    ("variable", "value", "arguments", "status"),
    [
        ("RETRIES", "many", ["--retries", "more"], 2),
        ("RETRIES", "many", ["--retries=more"], 2),
        ("RETRIES", "3", ["--retries", "more"], 2),
        ("FORMAT", "text", ["-f", "xml"], 2),
        ("FORMAT", "text", ["-fxml"], 2),
        ("FORMAT", "text", ["-vf", "xml"], 2),
        ("FORMAT", "xml", ["-v"], 78),
        ("RETRIES", "many", ["--", "--retries"], 78),
        ("FORMAT", "xml", ["-m", "-f"], 78),
        ("FORMAT", "xml", ["-s", "--format=text"], 78),
        ("RETRIES", "many", ["-f", "xml"], 2),
    ],
)
def test_who_is_to_blame_for_a_bad_value(variable, value, arguments, status, monkeypatch):
    """A value on the command line is a matter of usage, one in the environment is one of configuration."""
    monkeypatch.setenv(f"STREAMCLI_{variable}", value)
    assert complaint("chat", "hi", *arguments).status == status


def test_a_bad_variable_of_another_verb_does_not_matter(monkeypatch):
    monkeypatch.setenv("STREAMCLI_LINES", "none")
    assert settings_of("chat", "hi").prompt == "hi"
    assert complaint("analyze").status == 78


# --- help, version, models ---


@pytest.mark.parametrize("flag", ["-h", "--help"])
@pytest.mark.parametrize("path", [[], ["chat"], ["gen"], ["analyze"], ["models"], ["models", "fetch"]])
def test_help_is_printed_and_is_a_success(path, flag, capsys):
    assert parse([*path, flag]) == 0
    printed = capsys.readouterr()
    assert (printed.out.startswith(" ".join(["Usage: streamcli", *path])), printed.err) == (True, "")


@pytest.mark.parametrize("verb", VERBS)
def test_help_tells_every_option(verb, capsys):
    parse([verb, "--help"])
    words = capsys.readouterr().out.replace(",", " ").split()
    options = COMMON + {"chat": MESSAGE, "gen": MESSAGE + GEN, "analyze": ANALYZE}[verb]
    assert [argv[0] for argv, *_ in options if argv[0].partition("=")[0] not in words] == []


def test_without_arguments_help_is_printed_and_is_no_success(capsys):
    assert parse([]) == 2
    assert "analyze" in capsys.readouterr().out


def test_the_version(capsys):
    assert parse(["--version"]) == 0
    assert capsys.readouterr().out == f"streamcli {__version__}\n"


def test_models_fetch():
    assert settings_of("models", "fetch", "local:smollm2") == FetchSettings(name="local:smollm2", quiet=False)
    assert settings_of("models", "fetch", "-q", "local") == FetchSettings(name="local", quiet=True)


def test_answers():
    assert settings_of("answers", "list") == AnswersSettings()
    assert settings_of("answers", "show", "3", "4") == AnswersSettings(ids=(3, 4))
    assert settings_of("answers", "rm", "7") == AnswersSettings(ids=(7,))
    assert settings_of("answers", "clear", "-q") == AnswersSettings(quiet=True)


@pytest.mark.parametrize(
    ("arguments", "module", "function"),
    [
        (["chat"], "chat", "run"),
        (["gen"], "gen", "run"),
        (["analyze"], "analyze", "run"),
        (["models", "fetch", "local"], "models", "fetch"),
    ],
)
def test_an_invocation_leads_to_its_command(arguments, module, function):
    command = parse(arguments).load()
    assert (command.__module__, command.__name__) == (f"streamcli.commands.{module}", function)


@pytest.mark.parametrize("arguments", [["--help"], ["analyze", "--help"], ["--version"], ["chat", "hi"]])
def test_the_command_line_imports_nothing_heavy(arguments):
    """Not the SDK, not rich, not the rooms below."""
    script = (
        f"import sys; from streamcli.cli import parse; parse({arguments});"
        "print(*(name for name in sys.modules if name.split('.')[0] in ('anthropic', 'httpx2', 'rich', 'tenacity')"
        " or name.split('.')[:2] in ([['streamcli', room] for room in ('commands', 'net', 'edge', 'store')])),"
        " sep='\\n', file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True
    )
    assert done.stderr == "\n"
