"""Is this text valid JavaScript, Go, C ...? By the grammars of tree-sitter, which come with the extra `code`.

A grammar is not a compiler: it takes more than the language does (names that do not exist, `1 = x`), and some refuse
what is valid. To refuse good code is worse than to let some bad code through, so where a grammar is known for the
latter, its errors are believed only where nothing nearby is beyond it:

- C and C++: macros. An error is believed if no unknown macro or directive is near, or the brackets do not match.
- Bash: a few expansions (_BEYOND_BASH). A stray `fi` or `done` is found although the grammar takes it for a command.
- CSS: `! important`, bare URLs, named containers, strings that go on over a line's end are hidden from the grammar.
- HTML: nearly anything is HTML; found are tags cut off in the middle and end tags that end nothing. A bare `&` is fine.
- PHP: what has neither `<?php` nor the look of HTML is an error, though PHP would print it as text.
"""

import importlib
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from streamcli.core.languages import title_of
from streamcli.core.sanitize import one_line
from streamcli.core.validate import NoValidator, Problem, problem_at

if TYPE_CHECKING:
    from tree_sitter import Language, Node, Tree

# A language's grammar: the module, the function in it.
_GRAMMARS = {
    "bash": ("tree_sitter_bash", "language"),
    "c": ("tree_sitter_c", "language"),
    "cpp": ("tree_sitter_cpp", "language"),
    "css": ("tree_sitter_css", "language"),
    "dockerfile": ("tree_sitter_containerfile", "language"),
    "go": ("tree_sitter_go", "language"),
    "html": ("tree_sitter_html", "language"),
    "java": ("tree_sitter_java", "language"),
    "javascript": ("tree_sitter_javascript", "language"),
    "lua": ("tree_sitter_lua", "language"),
    "php": ("tree_sitter_php", "language_php"),
    "ruby": ("tree_sitter_ruby", "language"),
    "rust": ("tree_sitter_rust", "language"),
    "tsx": ("tree_sitter_typescript", "language_tsx"),
    "typescript": ("tree_sitter_typescript", "language_typescript"),
}
# Whose text may as well be the other: a `.h` is often C++, a `ts` fence often holds JSX.
_OR_ELSE = {"c": "cpp", "typescript": "tsx"}

# Bounds for hostile text. A parser's step is a hundred operations: code takes one for 70 bytes or more, garbage one for
# 30; what takes more is a text that the grammar can read in very many ways, with memory that grows by the square.
MAX_GRAMMAR_CHARS = 1_000_000
MIN_STEPS, BYTES_A_STEP = 1_000, 20
MAX_NODES = 500_000
_CHUNK = 1 << 16

_PAIRS = {")": "(", "]": "[", "}": "{"}
_OPENING = {"(": "(", "[": "[", "{": "{", "${": "{", "#{": "{", "#[": "["}
# Where each bracket is a token of its own, and always in a pair.
_BRACKETED = frozenset({"c", "cpp", "css", "go", "java", "javascript", "php", "rust", "tsx", "typescript"})

# Nodes that are no errors of the grammar, but are of the language.
_WRONG_NODES = {
    "bash": '((command_name) @wrong (#any-of? @wrong "fi" "done" "esac" "then" "else" "elif" "do" "}"))',
    "html": "(erroneous_end_tag) @wrong",
}

# What a grammar cannot read -> the same number of bytes that it can.
_HIDDEN: dict[str, tuple[tuple[re.Pattern[bytes], Callable[[re.Match[bytes]], bytes]], ...]] = {
    "html": ((re.compile(rb"&(?![#\w]+;)"), lambda _found: b"+"),),
    "css": (
        # [type="text" i]
        (re.compile(rb"(?<=['\"])\s+[is](?=\s*\])", re.IGNORECASE), lambda found: b" " * len(found[0])),
        # nested rules whose & is not the first: .in & {
        (re.compile(rb"(?<=[^\s{};]\s)&"), lambda _found: b"a"),
        # 50.5% { in @keyframes
        (re.compile(rb"\b\d+\.\d+(?=%\s*[,{])"), lambda found: b"5" * len(found[0])),
        (re.compile(rb"!(\s+)(?=important\b)", re.IGNORECASE), lambda found: found[1] + b"!"),
        (re.compile(rb"\\(?:\r?\n|\r)"), lambda found: b" " * len(found[0])),
        (re.compile(rb"(?<=url\()[^\s'\"()]+(?=\s*\))", re.IGNORECASE), lambda found: b"a" * len(found[0])),
        # (width >= 40em) and (20em < width < 40em) in @media and @container
        (
            re.compile(rb"(?<=\s)\([^(){};\"']+[<>][^(){};\"']+\)"),
            lambda found: b"(a:" + b"b" * (len(found[0]) - 4) + b")",
        ),
        (re.compile(rb"(?<=@container)\s+[\w-]+(?=\s*\()"), lambda found: b" " * len(found[0])),
    ),
}

# What valid Bash may have that the grammar takes for an error (seen in 118 scripts of a Linux system, see the tests).
_BEYOND_BASH = re.compile(rb"<<-?\s*\\\w|[*?+@!]\([^()]*[(\[]|\{,|,\}|\{[^{}\s]*~[^{}\s]*,|\(\$\([^()]*\\\n")
# A macro by its look: capitals, `PyObject_HEAD`, `__attribute__`; and what else is no C by itself.
_MACRO = re.compile(rb"(?<![\w'\"])(?:[A-Z_][A-Z0-9_]*[A-Z0-9_]\b|\w+_[A-Z0-9]+\b|_[A-Z_]\w*|__\w+|va_arg\b|asm\b)")
_DIRECTIVE = re.compile(rb"^[ \t]*#(?![ \t]*(?:include|pragma)\b)|\\\r?\n", re.MULTILINE)
# `#define LIMIT 10`: stands for a value, and may stand where a value may.
_CONSTANT = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)[ \t]+[\d\"'(-].*(?<!\\)$", re.MULTILINE)
_DEFINED = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)", re.MULTILINE)
_KNOWN_CONSTANTS = frozenset(
    b"NULL EOF EXIT_SUCCESS EXIT_FAILURE FILE DIR BUFSIZ RAND_MAX INT_MAX INT_MIN UINT_MAX LONG_MAX LONG_MIN ULONG_MAX "
    b"LLONG_MAX LLONG_MIN SIZE_MAX CHAR_BIT DBL_MAX DBL_MIN FLT_MAX FLT_MIN INT32_MAX INT64_MAX UINT32_MAX UINT64_MAX "
    b"M_PI INFINITY NAN SEEK_SET SEEK_END SEEK_CUR SIGINT SIGTERM SIGCHLD SIGPIPE SIGSEGV CLOCKS_PER_SEC ENOMEM EINVAL "
    b"EINTR ERANGE ENOENT EAGAIN PATH_MAX STDIN_FILENO STDOUT_FILENO STDERR_FILENO AF_INET AF_UNIX SOCK_STREAM "
    b"SOCK_DGRAM INADDR_ANY SOL_SOCKET SO_REUSEADDR O_RDONLY O_WRONLY O_RDWR O_CREAT O_TRUNC "
    b"__func__ __FILE__ __LINE__ CLOCK_MONOTONIC CLOCK_REALTIME".split()
)
# Where brackets need not match in the text as it stands: branches, macros of several lines.
_BRANCHED = re.compile(rb"^[ \t]*#[ \t]*(?:else|elif)|\\\r?\n", re.MULTILINE)
_PHP_TAG = re.compile(r"<\?(?:php\b|=|\s)", re.IGNORECASE)


def find_problem(text: str, language: str, is_late: Callable[[], bool] = lambda: False) -> Problem | None:
    """The first syntax error of a text in one of the languages of _GRAMMARS; the text is not empty, and encodable.

    `is_late` is asked now and then while parsing, which takes a time that grows by the square on some hostile text.
    Raises NoValidator where the grammar is not installed, or the text is too large or takes too long.
    """
    if len(text) > MAX_GRAMMAR_CHARS:
        raise NoValidator(f"the code is too large to check as {title_of(language)} ({len(text):,} characters)")
    if language == "php" and not _PHP_TAG.search(text) and not text.lstrip("\ufeff \t\r\n").startswith("<"):
        return problem_at(text, 0, "PHP: no `<?php` tag, so that all of it is text to print")
    problem = _find(text, language, is_late)
    other = _OR_ELSE.get(language)
    return problem if problem is None or other is None or _find(text, other, is_late) is not None else None


def _find(text: str, language: str, is_late: Callable[[], bool]) -> Problem | None:
    grammar = _load(language)
    source = _readable(text.encode(), language)
    tree = _parse(source, grammar, language, is_late)
    if not tree.root_node.has_error:
        return _found_wrong(tree, grammar, text, source, language)
    unpaired = _unpaired(tree, source) if language in _BRACKETED else None
    error = _first_error(tree)
    if error is None or not _is_believed(tree, error, source, language, unpaired is not None):
        return None
    is_other = error.is_missing and error.type not in _PAIRS and (unpaired is None or error.start_byte < unpaired[0])
    if unpaired is not None and not is_other:
        return _problem(text, source, unpaired[0], language, unpaired[1])
    return _problem(text, source, _start(error, source), language, _what(error, source))


def _load(language: str) -> "Language":
    module, function = _GRAMMARS[language]
    try:
        import tree_sitter

        grammar: Any = importlib.import_module(module)
        # ValueError: a grammar of a version that this tree-sitter does not read.
        return tree_sitter.Language(getattr(grammar, function)())
    except (ImportError, AttributeError, ValueError) as error:
        raise NoValidator.not_installed(title_of(language)) from error


def _readable(source: bytes, language: str) -> bytes:
    for pattern, replacement in _HIDDEN.get(language, ()):
        source = pattern.sub(replacement, source)
    return source


def _parse(source: bytes, grammar: "Language", language: str, is_late: Callable[[], bool]) -> "Tree":
    import tree_sitter

    steps_left = MIN_STEPS + len(source) // BYTES_A_STEP

    def is_enough(_offset: int, _has_error: bool) -> bool:
        nonlocal steps_left
        steps_left -= 1
        return steps_left < 0 or is_late()

    try:
        return tree_sitter.Parser(grammar).parse(
            lambda offset, _point: source[offset : offset + _CHUNK], progress_callback=is_enough
        )
    except ValueError as error:  # "Parsing failed": stopped
        raise NoValidator(f"the code takes too long to check as {title_of(language)}") from error


def _nodes(tree: "Tree", goes_into: Callable[["Node"], bool]) -> Iterator["Node"]:
    """The nodes in document order, MAX_NODES at most; not recursively, for a tree may be deep."""
    cursor = tree.walk()
    for _ in range(MAX_NODES):
        node = cursor.node
        if node is None:
            return
        yield node
        if goes_into(node) and cursor.goto_first_child():
            continue
        while not cursor.goto_next_sibling():
            if not cursor.goto_parent():
                return


def _first_error(tree: "Tree") -> "Node | None":
    """The first error, and within it the innermost first: an outer one may begin far before what is wrong."""
    first = None
    for node in _nodes(tree, lambda node: node.has_error):
        if first is not None and node.start_byte >= first.end_byte > first.start_byte:
            return first
        if node.is_missing:
            return node
        if node.is_error:
            first = node
    return first


def _unpaired(tree: "Tree", source: bytes) -> tuple[int, str] | None:
    """The first bracket without its other half, as (byte, message). The grammar's tokens, so none of a string."""
    opened: list[tuple[str, int]] = []
    if tree.root_node.descendant_count > MAX_NODES:
        return None
    for node in _nodes(tree, lambda _node: True):
        if node.child_count or node.is_missing:
            continue
        token = source[node.start_byte : node.end_byte].decode() if node.is_error and _is_short(node) else node.type
        if token in _OPENING:
            opened.append((token, node.start_byte))
        elif token in _PAIRS:
            if not opened:
                return node.start_byte, f"`{token}` closes nothing"
            if _OPENING[opened[-1][0]] != _PAIRS[token]:
                break
            opened.pop()
    return (opened[-1][1], f"`{opened[-1][0]}` is never closed") if opened else None


def _is_short(node: "Node") -> bool:
    return node.end_byte - node.start_byte == 1


def _is_believed(tree: "Tree", error: "Node", source: bytes, language: str, is_unpaired: bool) -> bool:
    if language == "bash":
        return not _BEYOND_BASH.search(source)
    if language not in ("c", "cpp") or (is_unpaired and not _BRANCHED.search(source)):
        return True
    around = _CONSTANT.sub(b"", _surroundings(tree, error, source))
    if _DIRECTIVE.search(around):
        return False
    constants = _KNOWN_CONSTANTS.union(_CONSTANT.findall(source))
    macros = set(_DEFINED.findall(source)) - constants
    return not any(name in macros for name in re.findall(rb"\w+", around)) and not any(
        name not in constants for name in _MACRO.findall(around)
    )


def _surroundings(tree: "Tree", error: "Node", source: bytes) -> bytes:
    """The declaration that the error is in, with its neighbours: a macro may show only in what follows it."""
    top = tree.root_node.child_with_descendant(error) if error != tree.root_node else error
    if top is None:
        return source
    before, after = top.prev_sibling, top.next_sibling
    return source[(before or top).start_byte : (after or top).end_byte]


def _found_wrong(tree: "Tree", grammar: "Language", text: str, source: bytes, language: str) -> Problem | None:
    if language not in _WRONG_NODES:
        return None
    import tree_sitter

    query = tree_sitter.Query(grammar, _WRONG_NODES[language])
    found = tree_sitter.QueryCursor(query).captures(tree.root_node).get("wrong", [])
    first = min(found, key=lambda node: node.start_byte, default=None)
    if first is None or not _is_believed(tree, first, source, language, False):
        return None
    return _problem(text, source, _start(first, source), language, _what(first, source))


def _what(node: "Node", source: bytes) -> str:
    if node.is_missing:
        return f"missing `{node.type}`" if not node.is_named else f"missing {node.type.replace('_', ' ')}"
    near = source[node.start_byte : node.end_byte].decode(errors="replace").strip().partition("\n")[0]
    return f"syntax error near `{one_line(near, 40)}`" if near else "syntax error"


def _start(error: "Node", source: bytes) -> int:
    """Byte where it is seen: what is missing is so behind the last token, an error begins behind white space."""
    if error.is_missing or not source[error.start_byte :].strip():
        return len(source[: error.start_byte].rstrip())
    blank = re.compile(rb"\s*").match(source, error.start_byte)
    return blank.end() if blank else error.start_byte


def _problem(text: str, source: bytes, offset: int, language: str, what: str) -> Problem:
    return problem_at(text, len(source[:offset].decode(errors="replace")), f"{title_of(language)}: {what}")
