"""What Markdown means is compared with what markdown-it-py makes of the whole of it."""

import re

import pytest
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from streamcli.core.markdown.render import MarkdownRenderer

PARSER = MarkdownIt("commonmark").enable(["strikethrough", "table"])
BULLETS = "•◦▪"
WIDE = 10_000


def plain(node):
    """The text of an inline node."""
    if node.type in ("softbreak", "hardbreak"):
        return "\n"
    if node.type in ("inline", "link", "strong", "em", "s"):
        text = "".join(plain(child) for child in node.children)
        target = str(node.attrs.get("href", "")) if node.type == "link" else ""
        return f"{text} ({target})" if target and target != text else text
    return node.content


def reference(node, lists=0):
    """The rows of a block, without blank ones."""
    rows = []
    for number, child in enumerate(node.children):
        if child.type in ("paragraph", "heading"):
            rows += [line.strip() for line in plain(child.children[0]).split("\n")]
        elif child.type in ("fence", "code_block"):
            rows += [f"  {line}" for line in child.content.split("\n")]
        elif child.type == "hr":
            rows.append("─")
        elif child.type == "blockquote":
            rows += [f"│ {row}" for row in reference(child, lists) or [""]]
        elif child.type in ("bullet_list", "ordered_list"):
            rows += reference(child, lists)
        elif child.type == "list_item":
            first = int(node.attrs.get("start", 1)) + number
            marker = f"{first}{child.markup} " if node.type == "ordered_list" else f"{BULLETS[lists % 3]} "
            inside = reference(child, lists + 1) or [""]
            rows += [f"{' ' * len(marker) if place else marker}{row}" for place, row in enumerate(inside)]
        elif child.type == "table":
            for row in child.walk():
                if row.type == "tr":
                    rows.append(" | ".join(plain(cell.children[0]) for cell in row.children).strip())
        else:
            rows += child.content.rstrip("\n").split("\n")
    return [row.rstrip() for row in rows if row.strip(" │")]


def rendered(text):
    """The rows of ours, in the same form."""
    renderer = MarkdownRenderer(width=WIDE, height=None, colour=True)
    out = re.sub(r"\x1b\[[0-9;]*m", "", "".join(renderer.feed(text, 0.0) + renderer.flush()))
    rows = re.sub("─{9,}", "─", out).split("\n")
    return [row.rstrip() for row in rows if row.strip(" │")]


BLOCKS = [
    "a\nb\n\nc\n",
    "# a\n## b ##\n### c\n#d\n#\n####### e\n# f #g\n",
    "a\n===\nb\nc\n---\n",
    "- a\n- b\n  - c\n    - d\n- e\n",
    "1. a\n2. b\n   - c\n   - d\n3. e\n\n   f\n",
    "- a\n\n  b\n\n- c\n\n      code\n- d\n",
    "10) a\n11) b\n",
    "1. a\n1. b\n1) c\n\n   d\n1) e\n",
    "a\n- b\n\nc\n1. d\n\ne\n2. f\n",
    "- a\n b\nc\n- d\n",
    "-\n- a\n-\n\n  b\n",
    "-  a\n   b\n-     c\n",
    "> a\n> b\nc\n\n> d\n\n> > e\n> f\n",
    "> - a\n>   b\n> - c\n>\n>   d\n",
    "> ```\n> a\n>  b\n> ```\n> c\n",
    "> a\n> ===\n> # b\n> ---\n",
    "> a\n```\nb\n```\n",
    "- > a\n  > b\n- > c\nd\n",
    "```\na\n\n  b\n```\nc\n",
    "````\n```\na\n```\n````\n",
    "~~~ x\n```\n~~~\n",
    "- ```py\n  a\n    b\n  ```\n- c\n",
    "1. a\n\n   ```\n   b\n   ```\n\n2. c\n",
    "   ```\n   a\n  b\n     c\n   ```\n",
    "    a\n\n      b\n\nc\n",
    "\ta\n\n- b\n\n\tc\n",
    "***\n---\n_ _ _\n- - -\n+++\n--\n",
    "- a\n***\n- b\n",
    "* a\n* * *\n",
    "<div>\n*a*\n</div>\n\n*b*\n",
    "<!-- a\n\nb -->\n*c*\n",
    "a\n<div>\nb\n\n",
    "a  \nb\\\nc\n",
    "- [a](b)\n- **c**\n  d `e\n  f` g\n",
    "- a\n  ```\n  b\n  ```\n  c\n",
    "- a\n  > b\n\n  c\n",
    "  - a\n  - b\n    - c\n   - d\n",
    "1. a\n  - b\n2. c\n",
    "*a\nb* c\n",
    "- a\n\n\n- b\n\n\n\nc\n",
    ">a\n>>b\n>>>c\n",
    "* a\n\n  1. b\n\n     c\n\n        d\n",
]
TABLES = [
    "a|b\n-|-\n",
    "| a | b |\n|---|---|\n| c | d |\n| e |\n| f | g | |\n\ni\n",
    "a | b\n:-- | --:\nc | `d \\| e`\n**f** | g\n# h\n",
    "x\n| a |\n|---|\n| b |\n",
    "| a | b |\n|---|\n| c | d |\n",
    "- | a | b |\n  |---|---|\n  | c | d |\n- e\n",
    "> | a | b |\n> |---|---|\n> | c | d |\n\ne\n",
    "| a | b |\n|---|---|\n| c | d |\n> e\n",
    "| a \\\\ | b |\n|---|---|\n| https://c.d | [e](f) |\n- g\n",
]


def words(rows):
    """Of rows with tables in them: what stands between the lines."""
    return [row.split() for row in (re.sub("[│|]", " ", row) for row in rows) if row.strip("─┼ ")]


@pytest.mark.parametrize("text", TABLES)
def test_tables_have_the_cells_that_they_have_to_another_parser(text):
    assert words(rendered(text)) == words(reference(SyntaxTreeNode(PARSER.parse(text))))


@pytest.mark.parametrize("text", BLOCKS)
def test_blocks_are_what_they_are_to_another_parser(text):
    assert rendered(text) == reference(SyntaxTreeNode(PARSER.parse(text)))


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("project/\n  src/\n    a.py\n  x\n", ["project/", "  src/", "    a.py", "  x"]),
        ('{\n  "a": [\n      1\n  ]\n}\n', ["{", '  "a": [', "      1", "  ]", "}"]),
        ("  a\n  b\n     c\n d\n", ["a", "b", "   c", "d"]),
        ("- a\n    b\n  c\n d\n", ["• a", "    b", "  c", "  d"]),
        ("> a\n>   b\n  c\n", ["│ a", "│   b", "│ c"]),
        ("- a\n\n b\n   c\n", ["• a", "b", "  c"]),
        ("`a\n   b` **c\n  d**\n", ["a b c", "  d"]),
    ],
)
def test_lines_keep_their_indentation(text, rows):
    assert rendered(text) == rows


def test_a_word_is_not_broken_for_its_indentation():
    renderer = MarkdownRenderer(width=8, height=None, colour=False)
    assert renderer.feed("a\n      123456 7\n" + " " * 3000 + "b\n\n", 0.0) == ["a\n  123456\n7\n       b\n"]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("10. a\n9. b\n8. c\n", ["10. a", "9. b", "8. c"]),
        ("5. a\n5. b\n7. c\n3. d\n", ["5. a", "6. b", "7. c", "3. d"]),
        ("1. a\n1. b\n\n1. c\n", ["1. a", "2. b", "3. c"]),
        ("0. a\n0. b\n0) c\n", ["0. a", "1. b", "0) c"]),
        ("1. [ ] a\n2. [x] b\n   c\n- [x] d\n", ["1. ☐ a", "2. ☑ b", "     c", "☑ d"]),
    ],
)
def test_items_keep_their_numbers(text, rows):
    assert rendered(text) == rows


@pytest.mark.parametrize(
    ("text", "width", "rows"),
    [
        (
            "".join("  " * depth + f"- {depth} x\n" for depth in range(7)),
            20,
            ["        ◦ 4 x", "        ▪ 5 x", "        • 6 x"],
        ),
        ("1. a b\n10. c\n", 3, ["1.", "a b", "10.", "c"]),
        ("1. [ ] a\n\n   b\n", 3, ["1. ", "☐", "a", "", "b"]),
        ("- a\n", 2, ["•", "a"]),
        ("1000. a\n", 3, ["100", "0.", "a"]),
    ],
)
def test_markers_stay_where_there_is_no_room_for_them(text, width, rows):
    renderer = MarkdownRenderer(width=width, height=None, colour=False)
    shown = "".join(renderer.feed(text, 0.0) + renderer.flush()).splitlines()
    assert shown[-len(rows) :] == rows


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a\n\\[\nx_1 * y\n- *b*\n= z\n\\]\n*c*\n", ["a", "\\[", "x_1 * y", "- *b*", "= z", "\\]", "c"]),
        ("$$\n*a*\n\n  + *b* $$\n*c*\n", ["$$", "*a*", "  + *b* $$", "c"]),
        ("> $$\n> *a*\n\n*c*\n", ["│ $$", "│ *a*", "c"]),
        ("$$\n" + "*a*\n" * 101, ["$$", *["*a*"] * 100, "a"]),
    ],
)
def test_mathematics_is_shown_as_it_is(text, rows):
    assert rendered(text) == rows
