"""Names of files as they are typed in a conversation."""

import pytest

from streamcli.commands.paths import paths_beginning, typed_path
from streamcli.core.markdown.widths import columns, cut_to
from streamcli.core.slash import completions


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    for name in ("my file.txt", "it's", ".hidden", "b\\ c"):
        (tmp_path / name).touch()
    (tmp_path / "more").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("my file.txt", "my file.txt"),
        ("'my file.txt'", "my file.txt"),
        ('"my file.txt"', "my file.txt"),
        ("my\\ file.txt", "my file.txt"),
        ("it's", "it's"),
        ("it's not", "it's not"),
        ("b\\ c", "b\\ c"),
        ("not there", "not there"),
        ("'new one.md'", "new one.md"),
        ("~/it's", "HOME/it's"),
        ("~/my\\ file.txt", "HOME/my file.txt"),
        ("a\0b", "a\0b"),
    ],
)
def test_the_path_that_is_meant(typed, meant, folder):
    assert typed_path(typed) == meant.replace("HOME", str(folder))


def test_paths_are_completed_and_hidden_ones_only_when_asked_for():
    assert paths_beginning("") == ["b\\ c", "it's", "more/", "my file.txt"]
    assert paths_beginning("~/m") == ["~/more/", "~/my file.txt"]
    assert paths_beginning(".") == [".hidden"]
    assert paths_beginning("nowhere/") == paths_beginning("a\0/") == []
    for command in ("/attach ", "/export ", "/system @"):
        assert completions(f"{command}my f", (), paths_beginning) == [("my file.txt", "", 4)]
    assert completions("/system m", (), paths_beginning) == []


def test_a_name_is_cut_by_the_columns_that_it_takes():
    assert cut_to("work", 4) == "work"
    assert cut_to("working", 6) == "wor..."
    assert cut_to("\u6f22" * 20, 10) == "\u6f22" * 3 + "..."
    assert columns(cut_to("\u6f22" * 20, 26)) <= 26
