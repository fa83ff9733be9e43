"""The grammars that code is coloured by, one a family of languages, and which language has which."""

import re

from streamcli.core import languages
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


def _c_like(keywords: str, *before: Token | Span, constants: str = "true false null") -> Grammar:
    """`before` goes before what the family has in common."""
    common = (_DOUBLE, _words(keywords), _words(constants, NUMBER), _NUMBER, _CALL, _TYPE)
    return Grammar((_SLASH_COMMENT, _BLOCK_COMMENT, *before, *common))


_CHAR = Token(STRING, r"'(?:\\[^']+|[^'\\])'")
_PREPROCESSOR = Token(KEYWORD, r"^\s*#\s*\w+")
_ANNOTATION = Token(NAME, r"@[A-Za-z_][\w.]*")

_C_WORDS = (
    "auto break case const continue default do else enum extern for goto if inline register restrict return sizeof "
    "static struct switch typedef union volatile while"
)
_C_TYPES = "void char short int long float double signed unsigned bool size_t ssize_t u?int(?:8|16|32|64|ptr)_t _Bool"
_CPP_WORDS = (
    "alignas alignof catch class concept consteval constexpr constinit co_await co_return co_yield decltype delete "
    "explicit export final friend import module mutable namespace new noexcept operator override private protected "
    "public requires static_assert static_cast dynamic_cast reinterpret_cast const_cast template this throw try "
    "typename using virtual"
)
_JAVA_WORDS = (
    "abstract assert break case catch class continue default do else enum extends final finally for if implements "
    "import instanceof interface native new package permits private protected public record return sealed static "
    "super switch synchronized this throw throws transient try var void volatile while yield "
    "boolean byte char double float int long short"
)
_JS_WORDS = (
    "as async await break case catch class const continue debugger default delete do else export extends finally for "
    "from function get if import in instanceof let new of return set static super switch this throw try typeof var "
    "void while with yield"
)
_TS_WORDS = (
    "abstract any asserts bigint boolean declare enum implements infer interface is keyof namespace never number "
    "object private protected public readonly satisfies string symbol type unknown"
)
_GO_WORDS = (
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var any bool byte complex64 complex128 error float32 float64 int int8 "
    "int16 int32 int64 rune string uint uint8 uint16 uint32 uint64 uintptr"
)
_RUST_WORDS = (
    "as async await break const continue crate dyn else enum extern fn for if impl in let loop match mod move mut pub "
    "ref return self Self static struct super trait type unsafe use where while bool char f32 f64 i8 i16 i32 i64 "
    "i128 isize str u8 u16 u32 u64 u128 usize"
)
_CSHARP_WORDS = (
    "abstract as async await base bool break byte case catch char checked class const continue decimal default "
    "delegate do double dynamic else enum event explicit extern finally fixed float for foreach get if implicit in int "
    "interface internal is lock long nameof namespace new object operator out override params private protected public "
    "readonly record ref required return sbyte sealed set short sizeof static string struct switch this throw try "
    "typeof uint ulong unchecked unsafe ushort using var virtual void volatile when where while with yield"
)
_KOTLIN_WORDS = (
    "abstract actual annotation as break by catch class companion const constructor continue crossinline data do else "
    "enum expect external final finally for fun get if import in infix init inline inner interface internal is "
    "lateinit noinline object open operator out override package private protected public reified return sealed set "
    "super suspend tailrec this throw try typealias val value var vararg when where while "
    "case def extends given implicit lazy match new then trait type using with yield"
)
_SWIFT_WORDS = (
    "actor any as associatedtype async await break case catch class continue convenience default defer deinit do else "
    "enum extension fallthrough fileprivate final for func get guard if import in indirect infix init inout internal "
    "is lazy let mutating nonisolated open operator optional override precedencegroup private protocol public repeat "
    "required rethrows return self Self set some static struct subscript super switch throw throws try typealias "
    "unowned var weak where while"
)
_DART_WORDS = "covariant dynamic external factory late library mixin on part required rethrow show hide"
_PHP_WORDS = (
    "abstract and array as break callable case catch class clone const continue declare default do echo else elseif "
    "empty enum extends final finally fn for foreach function global goto if implements include include_once "
    "instanceof insteadof interface isset list match namespace new or print private protected public readonly require "
    "require_once return static switch throw trait try unset use var while xor yield"
)
_PYTHON_WORDS = (
    "and as assert async await break case class continue def del elif else except finally for from global if import "
    "in is lambda match nonlocal not or pass raise return try while with yield"
)
_RUBY_WORDS = (
    "alias and begin break case class def defined\\? do else elsif end ensure for if in module next not or redo rescue "
    "retry return self super then undef unless until when while yield require require_relative attr_accessor "
    "attr_reader attr_writer include extend raise puts"
)
_SHELL_WORDS = (
    "if then elif else fi case esac for select while until do done in function time coproc return exit break continue "
    "local export readonly declare typeset unset shift trap source eval exec set"
)
_SQL_WORDS = (
    "add all alter analyze and any as asc begin between by cascade case cast check column commit conflict constraint "
    "create cross current database default delete desc distinct do drop else end except exists explain false fetch "
    "filter first for foreign from full function grant group having if ilike in index inner insert intersect interval "
    "into is join key last lateral left like limit materialized natural not nothing null nulls offset on or order "
    "outer over partition primary procedure recursive references replace returning revoke right rollback row rows "
    "schema select set some table temporary then to transaction trigger true truncate union unique update using vacuum "
    "values view when where window with bigint boolean bytea char date decimal double float int integer json jsonb "
    "numeric real serial smallint text time timestamp timestamptz uuid varchar"
)
_LUA_WORDS = "and break do else elseif end for function goto if in local not or repeat return then until while"
_HASKELL_WORDS = (
    "case class data deriving do else forall foreign if import in infix infixl infixr instance let module newtype of "
    "then type where qualified"
)
_ELIXIR_WORDS = (
    "after alias and case catch cond def defimpl defmacro defmodule defp defprotocol defstruct do else end fn for if "
    "import in not or quote raise receive require rescue try unless unquote use when with"
)
_DOCKER_WORDS = (
    "FROM AS RUN CMD LABEL MAINTAINER EXPOSE ENV ADD COPY ENTRYPOINT VOLUME USER WORKDIR ARG ONBUILD STOPSIGNAL "
    "HEALTHCHECK SHELL"
)
_R_WORDS = "break else for function if in next repeat return while library require"

_JS_REST = (_SINGLE, _BACKTICKS, _ANNOTATION)
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
        _words(_PYTHON_WORDS),
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
        _words(_RUBY_WORDS),
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
    Token(KEYWORD, rf"(?<![\w./=-])(?:{'|'.join(_SHELL_WORDS.split())})(?![\w./=-])"),
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
            NAME, r"(?:^\s*(?:-\s+)*|(?<=[{,]\s)|(?<=\{))(?:\"[^\"]*\"|'[^']*'|[\w./$<-][\w ./$<>()-]*)(?=:(?:\s|$))"
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
        Token(HEAD, r"^\s*\[.*?\]+(?=\s|$)"),
        Token(NAME, r"^\s*[\w.\"' -]+?(?=\s*[=:])|(?<=[{,]\s)[\w.-]+(?=\s*=)"),
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
        _words(_SQL_WORDS),
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
        _words(_LUA_WORDS),
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
_DOCKER = Grammar((Token(KEYWORD, rf"^\s*(?:{'|'.join(_DOCKER_WORDS.split())})\b"), *_SHELL_TOKENS))
_MAKE = Grammar(
    (
        _HASH_COMMENT,
        Token(HEAD, r"^[\w./%$() -]+(?=:(?!=))"),
        Token(NAME, r"\$\([^)]*\)?|\$[@<^*?$]|^\s*\w+(?=\s*[:?+]?=)"),
        _DOUBLE,
        _words("ifeq ifneq ifdef ifndef else endif include define endef export override"),
    )
)
_HASKELL = Grammar(
    (
        Token(COMMENT, r"--.*"),
        Span(COMMENT, r"\{-", r"-\}"),
        _DOUBLE,
        _CHAR,
        _words(_HASKELL_WORDS),
        _NUMBER,
        _TYPE,
    )
)
_ELIXIR = Grammar(
    (
        Span(STRING, r'"""', r'"""', _ESCAPED),
        Token(COMMENT, r"#.*"),
        _DOUBLE,
        _SINGLE,
        _words(_ELIXIR_WORDS),
        _words("true false nil", NUMBER),
        Token(NUMBER, r"(?<![:\w]):\w+[?!]?"),
        _NUMBER,
        _ANNOTATION,
        _CALL,
        _TYPE,
    )
)
_R = Grammar((Token(COMMENT, r"#.*"), _DOUBLE, _SINGLE, _words(_R_WORDS), _NUMBER, _CALL))

_C = _c_like(f"{_C_WORDS} {_C_TYPES}", _PREPROCESSOR, _CHAR, constants="true false NULL")
_CPP = _c_like(f"{_C_WORDS} {_C_TYPES} {_CPP_WORDS}", _PREPROCESSOR, _CHAR, constants="true false NULL nullptr")
_JAVASCRIPT = _c_like(_JS_WORDS, *_JS_REST, constants=_JS_CONSTANTS)
_TYPESCRIPT = _c_like(f"{_JS_WORDS} {_TS_WORDS}", *_JS_REST, constants=_JS_CONSTANTS)
_TEXT_BLOCK = Span(STRING, r'"""', r'"""', _ESCAPED)
_JVM = _c_like(_KOTLIN_WORDS, _TEXT_BLOCK, _CHAR, _ANNOTATION)

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
    "java": _c_like(_JAVA_WORDS, _TEXT_BLOCK, _CHAR, _ANNOTATION),
    "javascript": _JAVASCRIPT,
    "typescript": _TYPESCRIPT,
    "tsx": _TYPESCRIPT,
    "go": _c_like(_GO_WORDS, _CHAR, _BACKTICKS, constants="true false nil iota"),
    "rust": _c_like(_RUST_WORDS, _CHAR, Token(NAME, r"#!?\[.*?\]|\b\w+!(?=[(\[{])"), constants="true false"),
    "php": _c_like(
        _PHP_WORDS, Token(COMMENT, r"#(?!\[).*"), _SINGLE, Token(NAME, r"\$\w+"), constants="true false null TRUE NULL"
    ),
}
# Languages that no file of ours is generated in, and other names for those above.
_BY_WORD = {
    "console": _CONSOLE,
    "shell-session": _CONSOLE,
    "shellsession": _CONSOLE,
    "sh-session": _CONSOLE,
    "terminal": _CONSOLE,
    "pycon": _CONSOLE,
    "json5": _JSON,
    "jsonc": _JSON,
    "c#": _c_like(_CSHARP_WORDS, _CHAR, Token(NAME, r"^\s*\[[A-Z]\w*.*?\]")),
    "swift": _c_like(_SWIFT_WORDS, _TEXT_BLOCK, _ANNOTATION, constants="true false nil"),
    "dart": _c_like(f"{_JAVA_WORDS} {_DART_WORDS} async await", _SINGLE, _ANNOTATION),
    "kotlin": _JVM,
    "kt": _JVM,
    "kts": _JVM,
    "scala": _JVM,
    "groovy": _JVM,
    "gradle": _JVM,
    "scss": _CSS,
    "less": _CSS,
    "sass": _CSS,
    "vue": _HTML,
    "svelte": _HTML,
    "objective-c": _C,
    "objc": _C,
    "glsl": _C,
    "zig": _c_like(
        "comptime const defer else enum errdefer export fn for if inline pub return struct switch test try "
        "union usingnamespace var while"
    ),
    "protobuf": _c_like(
        "enum import message oneof optional option package repeated required reserved returns rpc "
        "service stream syntax string bool bytes double float u?int(?:32|64)"
    ),
    "graphql": Grammar(
        (
            _HASH_COMMENT,
            _TEXT_BLOCK,
            _DOUBLE,
            _words(
                "type query mutation subscription fragment input "
                "enum interface union scalar schema extend implements on directive"
            ),
            _ANNOTATION,
            _TYPE,
        )
    ),
    "hcl": _TOML,
    "terraform": _TOML,
    "tf": _TOML,
    "nginx": _SHELL,
    "fish": _SHELL,
    "env": _SHELL,
    "dotenv": _SHELL,
    "perl": _RUBY,
    "julia": _PYTHON,
    "nim": _PYTHON,
    "gdscript": _PYTHON,
    "starlark": _PYTHON,
    "haskell": _HASKELL,
    "hs": _HASKELL,
    "elm": _HASKELL,
    "elixir": _ELIXIR,
    "ex": _ELIXIR,
    "exs": _ELIXIR,
    "r": _R,
}
_BY_WORD |= {"cs": _BY_WORD["c#"], "csharp": _BY_WORD["c#"], "proto": _BY_WORD["protobuf"]}

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
