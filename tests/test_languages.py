"""The table of languages: words of info strings, file names."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamcli.core.languages import LANGUAGES, NAMES, by_filename, by_word, can_validate, title_of, words_of

UNCHECKED = {"xml", "ini", "csv", "markdown", "text", "diff", "makefile"}


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("python", "python"),
        ("Python", "python"),
        ("PY", "python"),
        ("python3", "python"),
        ("python title=x", "python"),
        ("python,ignore", "python"),
        (" python\ttitle='a b'", "python"),
        ("{.python .numberLines}", "python"),
        ("{python}", "python"),
        ("lang-python", "python"),
        ("language-js", "javascript"),
        ("python{1,3}", "python"),
        ("python:app.py", "python"),
        ("js", "javascript"),
        ("node", "javascript"),
        ("jsx", "javascript"),
        ("ts", "typescript"),
        ("tsx", "tsx"),
        ("golang", "go"),
        ("rs", "rust"),
        ("c", "c"),
        ("c++", "cpp"),
        ("C++17", "cpp"),
        ("cc", "cpp"),
        ("cxx", "cpp"),
        ("rb", "ruby"),
        ("sh", "bash"),
        ("shell", "bash"),
        ("zsh", "bash"),
        ("yml", "yaml"),
        ("docker", "dockerfile"),
        ("Dockerfile", "dockerfile"),
        ("htm", "html"),
        ("md", "markdown"),
        ("ndjson", "jsonl"),
        ("postgresql", "sql"),
        ("t-sql", "sql"),
        ("c#", None),
        ("haskell", None),
        ("", None),
        ("   ", None),
        ("{}", None),
        ("title=x", None),
        ("lang-", None),
    ],
)
def test_what_an_info_string_names(word, name):
    assert by_word(word) == name


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("app.py", "python"),
        ("/a/b.c/App.PY", "python"),
        ("a.test.tsx", "tsx"),
        ("Dockerfile", "dockerfile"),
        ("build/Dockerfile.dev", "dockerfile"),
        ("Dockerfile-alpine", "dockerfile"),
        ("api.dockerfile", "dockerfile"),
        ("Containerfile", "dockerfile"),
        (".bashrc", "bash"),
        ("pyproject.toml", "toml"),
        ("Cargo.lock", "toml"),
        ("Gemfile", "ruby"),
        ("Makefile", "makefile"),
        ("a.jsonl", "jsonl"),
        ("a.h", "c"),
        ("a.hpp", "cpp"),
        ("a.yml", "yaml"),
        (".github/workflows/ci.yaml", "yaml"),
        ("README.md", "markdown"),
        ("Dockerfile.py", "python"),
        ("py", None),
        (".py", None),
        ("Dockerfiles", None),
        ("a.zsh", None),
        ("a.", None),
        ("py/", None),
        ("", None),
    ],
)
def test_what_a_file_name_says(file, name):
    assert by_filename(file) == name


@pytest.mark.parametrize("kind", ["words", "extensions", "files"])
def test_nothing_names_two_languages(kind):
    seen = [entry for language in LANGUAGES for entry in getattr(language, kind)]
    if kind == "words":
        seen += [language.name for language in LANGUAGES]
    assert sorted(seen) == sorted(set(seen))
    assert all(entry == entry.lower() and not entry.startswith("." if kind == "extensions" else " ") for entry in seen)


def test_each_name_is_found_by_all_that_is_said_of_it():
    for language in LANGUAGES:
        assert words_of(language.name) == {language.name, *language.words}
        assert {by_word(word) for word in words_of(language.name)} == {language.name}
        assert {by_word(f"{{.{word.upper()}}}") for word in words_of(language.name)} == {language.name}
        assert {by_filename(f"x.{extension}") for extension in language.extensions} <= {language.name}
        assert {by_filename(file.title()) for file in language.files} <= {language.name}
        assert title_of(language.name)


def test_which_have_a_validator():
    assert {name for name in NAMES if not can_validate(name)} == UNCHECKED
    assert not can_validate("cobol")
    with pytest.raises(KeyError):
        words_of("cobol")


@given(st.text(max_size=30))
def test_any_text_may_be_asked_for(text):
    assert by_word(text) in {None, *NAMES}
    assert by_filename(text) in {None, *NAMES}
