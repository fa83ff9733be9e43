"""What is typed in a conversation, without a terminal."""

import pytest

from streamcli.core.slash import (
    HELP,
    SLASHES,
    Command,
    Message,
    Surplus,
    Unknown,
    completions,
    goes_on,
    is_remembered,
    parse,
)


@pytest.mark.parametrize(
    ("typed", "meaning"),
    [
        ("hello", Message("hello")),
        ("  indented\n  code", Message("  indented\n  code")),
        ("what is 1/2?", Message("what is 1/2?")),
        ("", Message("")),
        ("/help", Command("help", "")),
        ("  /help  ", Command("help", "")),
        ("/HELP", Command("help", "")),
        ("/quit", Command("exit", "")),
        ("/model", Command("model", "")),
        ("/model  claude-x ", Command("model", "claude-x")),
        ("/system be brief\nand kind", Command("system", "be brief\nand kind")),
        ("/system\nbe brief", Command("system", "be brief")),
        ("//help", Message("/help")),
        ("//etc/passwd", Message("/etc/passwd")),
        ("/", Command("help", "")),
        (" /? ", Command("help", "")),
        ("Help", Command("help", "")),
        ("exit", Command("exit", "")),
        ("quit\n", Command("exit", "")),
        ("exit code 137?", Message("exit code 137?")),
        ("/exit code 137 means what?", Surplus("/exit")),
        ("/Reset the password flow is broken", Surplus("/Reset")),
        ("/clear\ntext", Surplus("/clear")),
        ("/clear \n", Command("clear", "")),
        ("/ help", Message("/ help")),
        ("/etc/passwd what is this", Message("/etc/passwd what is this")),
        ("/help.txt", Message("/help.txt")),
        ("/sys/kernel", Message("/sys/kernel")),
        ("/tmp what is in there", Message("/tmp what is in there")),
        ("/tmp", Unknown("/tmp", None)),
        ("/hlep", Unknown("/hlep", "help")),
        ("/Modle claude-x", Unknown("/Modle", "model")),
        ("/exitt", Unknown("/exitt", "exit")),
        ("/qiut", Unknown("/qiut", "exit")),
    ],
)
def test_what_is_typed_means(typed, meaning):
    assert parse(typed) == meaning


def test_every_command_is_parsed_completed_and_explained():
    for slash in SLASHES:
        assert parse(f"/{slash.name}") == Command(slash.name, "")
        assert (f"/{slash.name}", slash.help, 2) in completions(f"/{slash.name[0]}")
        assert any(what.split()[0] == f"/{slash.name}" for what, _ in HELP)
    assert len(completions("/")) == len(SLASHES)


def test_only_the_first_word_is_completed():
    assert completions("/s") == [(f"/{s.name}", s.help, 2) for s in SLASHES if s.name in ("system", "save")]
    for typed in ("", "hello", "hello /he", "/help ", "/x", "//he", "/etc/pa"):
        assert completions(typed) == []


def test_models_are_completed():
    models = ("claude-a", "claude-b", "local")
    assert completions("/model ", models) == [(name, "", 0) for name in models]
    assert completions("/model cl", models) == [("claude-a", "", 2), ("claude-b", "", 2)]
    assert completions("/system cl", models) == []


def test_a_backslash_at_the_end_goes_on_unless_it_is_one_itself():
    assert goes_on("a\\")
    assert goes_on("a\nb\\")
    assert goes_on("\\\\\\")
    assert not goes_on("C:\\\\")
    assert not goes_on("a\\ ")
    assert not goes_on("")


def test_a_space_before_it_keeps_it_out_of_the_history():
    assert is_remembered("a")
    assert not is_remembered(" a secret")
    assert not is_remembered("")
    assert not is_remembered("\n")
