"""The grammars that code is coloured by, one a family of languages, and which language has which."""

import re

from streamcli.core import languages
from streamcli.core.markdown import keywords
from streamcli.core.markdown.grammar import Grammar, Span, Token
from streamcli.core.markdown.theme import ADDED, COMMENT, HEAD, KEYWORD, NAME, NUMBER, REMOVED, STRING

_DOUBLE = Token(STRING, r'"[^"\\]*(?:\\.[^"\\]*)*"?')
_SINGLE = Token(STRING, r"'[^'\\]*(?:\\.[^'\\]*)*'?")
_NUMBER = Token(NUMBER, r"\b(?:0[xXbBoO][0-9a-fA-F_]+|[0-9][0-9_]*(?:\.[0-9_]+)?(?:[eE][+-]?[0-9]+)?)\w*")
_CALL = Token(NAME, r"\b[A-Za-z_]\w*(?=\()")
_TYPE = Token(NAME, r"\b[A-Z]\w*[a-z]\w*")
_HASH_COMMENT = Token(COMMENT, r"(?:^|(?<=\s))#.*")
_SLASH_COMMENT = Token(COMMENT, r"//.*")
_BLOCK_COMMENT = Span(COMMENT, r"/\*", r"\*/")
_BACKTICKS = Span(STRING, "`", "`", r"\\.|[^\\]")
_ESCAPED = r"\\.|[^\\]"


def _words(words: str, sgr: str = KEYWORD) -> Token:
    return Token(sgr, rf"\b(?:{'|'.join(words.split())})\b")


def _c_like(words: str, *before: Token | Span, constants: str = "true false null") -> Grammar:
    """`before` goes before what the family has in common."""
    common = (_DOUBLE, _words(words), _words(constants, NUMBER), _NUMBER, _CALL, _TYPE)
    return Grammar((_SLASH_COMMENT, _BLOCK_COMMENT, *before, *common))


_CHAR = Token(STRING, r"'(?:\\.[^']*|[^'\\])'")
_PREPROCESSOR = Token(KEYWORD, r"^\s*#\s*\w+")
_ANNOTATION = Token(NAME, r"@[A-Za-z_][\w.]*")
# A slash begins a regular expression where no operand is before it that it could divide.
_REGEX = r"/(?![*/])(?:[^/\\\[]|\\.|\[(?:[^\]\\]|\\.)*+\])++/[a-z]*"
_JS_REGEX = Token(STRING, rf"(?:(?<=[(=,:\[!&|?;{{])|(?<=[(=,:\[!&|?;{{] )|(?<=\breturn )|^){_REGEX}")
_JS_REST = (_JS_REGEX, _SINGLE, _BACKTICKS, _ANNOTATION)
_JS_CONSTANTS = "true false null undefined NaN Infinity"
_SHELL_VARIABLE = Token(NAME, r"\$(?:\{[^}]*\}?|\w+|[#?@*!$-])")
_PYTHON = Grammar(
    (
        Token(COMMENT, r"#.*"),
        Span(STRING, r'"""', r'"""', _ESCAPED),
        Span(STRING, r"'''", r"'''", _ESCAPED),
        Token(STRING, r"\b[rRbBfFuU]{1,2}(?=[\"'])"),
        _DOUBLE,
        _SINGLE,
        _words(keywords.PYTHON),
        _words("True False None self cls", NUMBER),
        _NUMBER,
        _ANNOTATION,
        _CALL,
        _TYPE,
    )
)
_RUBY = Grammar(
    (
        Span(COMMENT, r"^=begin\b", r"^=end\b"),
        _HASH_COMMENT,
        _DOUBLE,
        _SINGLE,
        Token(NUMBER, r"(?<![:\w]):[A-Za-z_]\w*[?!]?"),
        _words(keywords.RUBY),
        _words("true false nil", NUMBER),
        Token(NAME, r"@{1,2}\w+|\$\w+"),
        _NUMBER,
        _CALL,
        _TYPE,
    )
)
_SHELL_TOKENS: tuple[Token | Span, ...] = (
    _HASH_COMMENT,
    Token(STRING, r"\\."),
    Span(STRING, r'"', r'"', _ESCAPED),
    Span(STRING, "'", "'"),
    _SHELL_VARIABLE,
    Token(KEYWORD, rf"(?<![\w./=-])(?:{'|'.join(keywords.SHELL.split())})(?![\w./=-])"),
    Token(NUMBER, r"(?<=\s)--?[A-Za-z][\w-]*"),
    Token(NAME, r"^\s*[A-Za-z_]\w*(?==)|(?:^|(?<=[|;&]\s)|(?<=\bsudo\s))[A-Za-z_][\w.-]*(?=\s|$)"),
)
_SHELL = Grammar(_SHELL_TOKENS)
_CONSOLE = Grammar((Token(HEAD, r"^(?:[\w.-]+@[\w.:~/ -]+|\([\w.-]+\) |PS [^>]*)?(?:\$|#|%|>|>>>|\.\.\.) .*"),))
_YAML = Grammar(
    (
        _HASH_COMMENT,
        Token(KEYWORD, r"^(?:---|\.\.\.)\s*$"),
        Token(
            NAME, r"(?:^\s*+(?:-\s++)*+|(?<=[{,]\s)|(?<=\{))(?:\"[^\"]*\"|'[^']*'|[\w./$<-][\w ./$<>()-]*)(?=:(?:\s|$))"
        ),
        _DOUBLE,
        Token(STRING, r"(?<![\w])'[^']*'"),
        Token(KEYWORD, r"(?<=\s)[&*!][\w./!-]+|[|>][+-]?\s*$"),
        Token(NUMBER, r"(?<=[\s\[,])(?:true|false|yes|no|on|off|null|~)(?=[\s,\]}]|$)"),
        Token(NUMBER, r"(?<=[\s\[,])-?[0-9][0-9_.]*(?=[\s,\]}]|$)"),
    )
)
_TOML = Grammar(
    (
        Token(COMMENT, r"(?:^|(?<=\s))[#;].*"),
        Token(HEAD, r"^\s*\[[^\]]*\]++(?=\s|$)"),
        Token(NAME, r"^\s*[\w.\"'-]++(?: ++[\w.\"'-]++)*+(?=\s*[=:])|(?<=[{,]\s)[\w.-]+(?=\s*=)"),
        Span(STRING, r'"""', r'"""', _ESCAPED),
        Span(STRING, r"'''", r"'''"),
        _DOUBLE,
        Token(STRING, r"'[^']*'"),
        _words("true false", NUMBER),
        _NUMBER,
    )
)
_JSON = Grammar(
    (
        Token(NAME, r'"[^"\\]*(?:\\.[^"\\]*)*"(?=\s*:)'),
        _DOUBLE,
        Token(COMMENT, r"//.*"),
        _BLOCK_COMMENT,
        _words("true false null", KEYWORD),
        Token(NUMBER, r"-?\b[0-9][0-9.eE+-]*"),
    )
)
_SQL = Grammar(
    (
        Token(COMMENT, r"--.*"),
        _BLOCK_COMMENT,
        Span(STRING, "'", "'", r"''|[^']"),
        Token(NAME, r'"[^"]*"|`[^`]*`'),
        _words(keywords.SQL),
        _NUMBER,
        _CALL,
    ),
    re.IGNORECASE,
)
_LUA = Grammar(
    (
        Span(COMMENT, r"--\[\[", r"\]\]"),
        Token(COMMENT, r"--.*"),
        Span(STRING, r"\[\[", r"\]\]"),
        _DOUBLE,
        _SINGLE,
        _words(keywords.LUA),
        _words("true false nil self", NUMBER),
        _NUMBER,
        _CALL,
    )
)
_HTML = Grammar(
    (
        Span(COMMENT, r"<!--", r"-->"),
        Token(KEYWORD, r"</?[A-Za-z][\w:.-]*|/?>|<[!?]\w+"),
        Token(NAME, r"(?<=\s)[\w:@.-]+(?==)"),
        Token(STRING, r"(?<==)(?:\"[^\"]*\"?|'[^']*'?)"),
        Token(NUMBER, r"&#?\w+;"),
    )
)
_CSS = Grammar(
    (
        _BLOCK_COMMENT,
        Token(COMMENT, r"(?:^|(?<=\s))//.*"),
        _DOUBLE,
        _SINGLE,
        Token(KEYWORD, r"@[\w-]+|!important"),
        Token(NAME, r"(?:^|(?<=[;{\s]))[\w-]+(?=\s*:\s)|--[\w-]+"),
        Token(NUMBER, r"#[0-9a-fA-F]{3,8}\b|-?\b[0-9][0-9.]*(?:%|[a-z]+)?"),
        Token(HEAD, r"[.#][A-Za-z_][\w-]*"),
    )
)
_DIFF = Grammar(
    (
        Token(HEAD, r"^(?:\+\+\+|---|diff |index ).*"),
        Token(NUMBER, r"^@@.*"),
        Token(ADDED, r"^[+>].*"),
        Token(REMOVED, r"^[-<].*"),
    )
)
_DOCKER = Grammar((Token(KEYWORD, rf"^\s*(?:{'|'.join(keywords.DOCKER.split())})\b"), *_SHELL_TOKENS))
_MAKE = Grammar(
    (
        _HASH_COMMENT,
        Token(HEAD, r"^[\w./%$() -]+(?=:(?!=))"),
        Token(NAME, r"\$\([^)]*\)?|\$[@<^*?$]|^\s*\w+(?=\s*[:?+]?=)"),
        _DOUBLE,
        _words("ifeq ifneq ifdef ifndef else endif include define endef export override"),
    )
)
_HASKELL_COMMENTS = (Token(COMMENT, r"--.*"), Span(COMMENT, r"\{-", r"-\}"))
_HASKELL = Grammar((*_HASKELL_COMMENTS, _DOUBLE, _CHAR, _words(keywords.HASKELL), _NUMBER, _TYPE))
_ELIXIR = Grammar(
    (
        Span(STRING, r'"""', r'"""', _ESCAPED),
        Token(COMMENT, r"#.*"),
        _DOUBLE,
        _SINGLE,
        _words(keywords.ELIXIR),
        _words("true false nil", NUMBER),
        Token(NUMBER, r"(?<![:\w]):\w+[?!]?"),
        _NUMBER,
        _ANNOTATION,
        _CALL,
        _TYPE,
    )
)
_PERL_VARIABLE = Token(NAME, r"[$@%]\{?[A-Za-z_]\w*\}?|\$[_0-9!@&]")
_PERL = Grammar((_HASH_COMMENT, _DOUBLE, _SINGLE, _PERL_VARIABLE, _words(keywords.PERL), _NUMBER, _CALL))
_POWERSHELL_NAME = Token(NAME, r"\$[\w:]+|\b[a-z]+-[a-z]+\b")
_POWERSHELL = Grammar(
    (
        Span(COMMENT, "<#", "#>"),
        _HASH_COMMENT,
        _SINGLE,
        _DOUBLE,
        _POWERSHELL_NAME,
        _words(keywords.POWERSHELL),
        _NUMBER,
    ),
    re.IGNORECASE,
)
_R = Grammar((Token(COMMENT, r"#.*"), _DOUBLE, _SINGLE, _words(keywords.R), _NUMBER, _CALL))

_C = _c_like(f"{keywords.C} {keywords.C_TYPES}", _PREPROCESSOR, _CHAR, constants="true false NULL")
_CPP = _c_like(
    f"{keywords.C} {keywords.C_TYPES} {keywords.CPP}", _PREPROCESSOR, _CHAR, constants="true false NULL nullptr"
)
_JAVASCRIPT = _c_like(keywords.JS, *_JS_REST, constants=_JS_CONSTANTS)
_TYPESCRIPT = _c_like(f"{keywords.JS} {keywords.TS}", *_JS_REST, constants=_JS_CONSTANTS)
_TEXT_BLOCK = Span(STRING, r'"""', r'"""', _ESCAPED)

_BY_NAME = {
    "python": _PYTHON,
    "ruby": _RUBY,
    "bash": _SHELL,
    "yaml": _YAML,
    "toml": _TOML,
    "ini": _TOML,
    "json": _JSON,
    "jsonl": _JSON,
    "sql": _SQL,
    "lua": _LUA,
    "html": _HTML,
    "xml": _HTML,
    "css": _CSS,
    "diff": _DIFF,
    "dockerfile": _DOCKER,
    "makefile": _MAKE,
    "c": _C,
    "cpp": _CPP,
    "java": _c_like(keywords.JAVA, _TEXT_BLOCK, _CHAR, _ANNOTATION),
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": _c_like(keywords.GO, _CHAR, _BACKTICKS, constants="true false nil iota"),
    "rust": _c_like(keywords.RUST, _CHAR, Token(NAME, r"#!?\[[^\[\]]*\]|\b\w+!(?=[(\[{])"), constants="true false"),
    "php": _c_like(
        keywords.PHP,
        Token(COMMENT, r"#(?!\[).*"),
        _SINGLE,
        Token(NAME, r"\$\w+"),
        constants="true false null TRUE NULL",
    ),
}
# Languages that no file of ours is generated in, and other names for those above.
_OTHERS = (
    ("console shell-session shellsession sh-session terminal pycon", _CONSOLE),
    ("json5 jsonc", _JSON),
    ("c# cs csharp", _c_like(keywords.CSHARP, _CHAR, Token(NAME, r"^\s*\[[A-Z]\w*[^\[\]]*\]"))),
    ("swift", _c_like(keywords.SWIFT, _TEXT_BLOCK, _ANNOTATION, constants="true false nil")),
    ("dart", _c_like(f"{keywords.JAVA} {keywords.DART} async await", _SINGLE, _ANNOTATION)),
    ("kotlin kt kts scala groovy gradle", _c_like(keywords.KOTLIN, _TEXT_BLOCK, _CHAR, _ANNOTATION)),
    ("scss less sass", _CSS),
    ("vue svelte", _HTML),
    ("objective-c objc glsl", _C),
    ("zig", _c_like(keywords.ZIG)),
    ("protobuf proto", _c_like(keywords.PROTOBUF)),
    ("graphql", Grammar((_HASH_COMMENT, _TEXT_BLOCK, _DOUBLE, _words(keywords.GRAPHQL), _ANNOTATION, _TYPE))),
    ("hcl terraform tf", _TOML),
    ("nginx fish env dotenv", _SHELL),
    ("perl", _PERL),
    ("powershell pwsh ps1", _POWERSHELL),
    ("julia nim gdscript starlark", _PYTHON),
    ("haskell hs elm", _HASKELL),
    ("elixir ex exs", _ELIXIR),
    ("r", _R),
)
_BY_WORD = {word: grammar for words, grammar in _OTHERS for word in words.split()}

_WORD = re.compile(r"\s*\{?\s*\.?([^\s,;:={}]+)")


def grammar_of(info: str) -> Grammar | None:
    """The grammar for what a fence's info string names; None where there is none, and the code stays plain."""
    word = _WORD.match(info[:200])
    if not word:
        return None
    found = _BY_WORD.get(word[1].lower())
    if found:
        return found
    name = languages.by_word(info)
    return _BY_NAME.get(name) if name else None
