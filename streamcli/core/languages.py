"""The languages a generated file may be in: by the first word of a fence's info string, by a file's name.

Names are the canonical ones of this table ("python", "c++" is "cpp"). A name of None means: not in the table.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Language:
    """One row: `title` is what a person calls it, `words` name it in an info string (beside its own name).

    `extensions` are without their dot, `files` are whole names; all are in lower case.
    """

    name: str
    title: str
    words: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    is_checked: bool = True


_ZSH_IS_BASH = ("sh", "shell", "zsh", "ksh", "dash", "ash", "shellscript", "shell-script")

LANGUAGES = (
    Language("python", "Python", ("py", "python3", "py3", "pyi", "cpython"), ("py", "pyi", "pyw"), ("sconstruct",)),
    Language(
        "json",
        "JSON",
        ("geojson", "webmanifest"),
        ("json", "geojson", "webmanifest", "ipynb", "har"),
        ("composer.lock", "flake.lock", "pipfile.lock"),
    ),
    Language("jsonl", "JSON Lines", ("ndjson", "jsonlines", "json-lines"), ("jsonl", "ndjson")),
    Language("toml", "TOML", (), ("toml",), ("pipfile", "poetry.lock", "uv.lock", "cargo.lock", "pdm.lock")),
    Language("yaml", "YAML", ("yml",), ("yaml", "yml"), (".clang-format", ".clang-tidy", ".clangd", ".yamllint")),
    Language(
        "javascript",
        "JavaScript",
        ("js", "node", "nodejs", "jsx", "mjs", "cjs", "ecmascript", "es6"),
        ("js", "jsx", "mjs", "cjs"),
    ),
    Language("typescript", "TypeScript", ("ts", "mts", "cts"), ("ts", "mts", "cts")),
    Language("tsx", "TypeScript (TSX)", ("typescriptreact",), ("tsx",)),
    Language("go", "Go", ("golang",), ("go",)),
    Language("rust", "Rust", ("rs",), ("rs",)),
    Language("java", "Java", (), ("java",)),
    Language("c", "C", ("h", "c99", "c11", "c17", "c23", "ansi-c"), ("c", "h")),
    Language(
        "cpp",
        "C++",
        ("c++", "cc", "cxx", "hpp", "hh", "hxx", "h++", "c++11", "c++14", "c++17", "c++20", "c++23", "cplusplus"),
        ("cpp", "cc", "cxx", "c++", "hpp", "hh", "hxx", "h++", "ipp", "tpp", "inl"),
    ),
    Language(
        "ruby",
        "Ruby",
        ("rb", "rake", "gemspec"),
        ("rb", "rake", "gemspec", "ru", "podspec"),
        ("gemfile", "rakefile", "vagrantfile", "podfile", "brewfile", "guardfile", "fastfile"),
    ),
    Language("php", "PHP", ("php7", "php8"), ("php", "phtml", "php7", "php8")),
    Language(
        "bash",
        "Bash",
        _ZSH_IS_BASH,
        # What zsh alone understands would be refused: its files are known by no name here.
        ("sh", "bash", "ksh", "bats", "ebuild"),
        (".bashrc", ".bash_profile", ".bash_aliases", ".bash_logout", ".profile", "pkgbuild", "apkbuild", ".envrc"),
    ),
    Language(
        "sql",
        "SQL",
        (
            "postgresql",
            "postgres",
            "pgsql",
            "psql",
            "mysql",
            "mariadb",
            "sqlite",
            "sqlite3",
            "tsql",
            "t-sql",
            "plsql",
            "bigquery",
            "duckdb",
        ),
        ("sql", "ddl", "dml", "psql"),
    ),
    Language("html", "HTML", ("htm", "html5", "xhtml"), ("html", "htm", "xhtml")),
    Language("css", "CSS", ("css3",), ("css",)),
    Language(
        "dockerfile",
        "Dockerfile",
        ("docker", "containerfile"),
        ("dockerfile", "containerfile"),
        ("dockerfile", "containerfile"),
    ),
    Language("lua", "Lua", ("luajit",), ("lua", "rockspec"), (".luacheckrc",)),
    Language(
        "xml",
        "XML",
        ("svg", "xsd", "xsl", "xslt", "rss", "atom"),
        ("xml", "svg", "xsd", "xsl", "xslt", "plist", "csproj"),
        (),
        False,
    ),
    Language(
        "ini",
        "INI",
        ("cfg", "conf", "properties", "editorconfig"),
        ("ini", "cfg", "conf", "properties"),
        (".editorconfig", ".gitconfig"),
        False,
    ),
    Language("csv", "CSV", ("tsv",), ("csv", "tsv"), (), False),
    Language("markdown", "Markdown", ("md", "mdx", "mkd", "gfm"), ("md", "markdown", "mdx", "mkd"), (), False),
    Language(
        "text",
        "text",
        ("txt", "plain", "plaintext", "console", "output", "log", "none"),
        ("txt", "text", "log"),
        ("license", "readme"),
        False,
    ),
    Language("diff", "a diff", ("patch", "udiff"), ("diff", "patch"), (), False),
    Language("makefile", "Makefile", ("make", "mk", "gnumakefile"), ("mk", "mak"), ("makefile", "gnumakefile"), False),
)

NAMES = frozenset(language.name for language in LANGUAGES)

_BY_NAME = {language.name: language for language in LANGUAGES}
_BY_WORD = {word: language.name for language in LANGUAGES for word in (language.name, *language.words)}
_BY_EXTENSION = {extension: language.name for language in LANGUAGES for extension in language.extensions}
_BY_FILE = {file: language.name for language in LANGUAGES for file in language.files}

# "python title=x", "python,ignore", "rust{1,3}", "{.python .numberLines}", "{python}", "lang-python", "language-python"
_FIRST_WORD = re.compile(r"\s*\{?\s*\.?(?:lang(?:uage)?-)?([^\s,;:={}()\[\]]+)")
# "Dockerfile.dev", "Dockerfile-alpine": what comes after such a name says what it is for
_SUFFIXED = re.compile(r"(dockerfile|containerfile|makefile)[.-][\w.-]+")


def by_word(word: str) -> str | None:
    """The language that a fence's info string (or its first word, or the user) names; None for any other."""
    first = _FIRST_WORD.match(word[:200])
    return _BY_WORD.get(first[1].lower()) if first else None


def by_filename(name: str) -> str | None:
    """The language of a file, by its name (a path is fine); None where that says nothing.

    A `.h` is C; what is C++ in it passes nevertheless (see grammars.py).
    """
    file = name.rpartition("/")[2].lower()
    suffixed = _SUFFIXED.fullmatch(file)
    extension = file.rpartition(".")[2] if "." in file.lstrip(".") else ""
    return _BY_FILE.get(file) or _BY_EXTENSION.get(extension) or (_BY_FILE.get(suffixed[1]) if suffixed else None)


def words_of(name: str) -> frozenset[str]:
    """Every word, in lower case, that names the language in an info string, its own name included.

    Raises KeyError for a name that is not in NAMES.
    """
    return frozenset((name, *_BY_NAME[name].words))


def extension_of(name: str) -> str:
    """The usual ending of its files, with the dot; "" where it has none. Raises KeyError as above."""
    extensions = _BY_NAME[name].extensions
    return f".{extensions[0]}" if extensions else ""


def title_of(name: str) -> str:
    """What a person calls the language. Raises KeyError for a name that is not in NAMES."""
    return _BY_NAME[name].title


def can_validate(name: str) -> bool:
    """Whether there is a validator for it at all; it may still want the extra `code` installed."""
    language = _BY_NAME.get(name)
    return language is not None and language.is_checked
