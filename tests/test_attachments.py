"""A file that goes along with a message: its kind by its bytes, its text unchanged, its name harmless."""

import base64
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from streamcli.core.attachments import (
    MAX_NAME,
    attachment,
    check_model,
    is_blank,
    not_text,
    shown_name,
    with_attachments,
)
from streamcli.core.content import Document, Image, Text
from streamcli.errors import InputError

SOME = bytes(range(256))
TAGS = re.compile(r'<(file(?:-\d+)?) name="([^"<>\n]*)">\n(.*)</\1>', re.DOTALL)


def text_of(block):
    """What stands between the tags of a text."""
    assert isinstance(block, Text)
    found = TAGS.fullmatch(block.text)
    assert found, block.text
    return found[3]


@pytest.mark.parametrize(
    ("data", "kind", "media_type"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + SOME, Image, "image/jpeg"),
        (b"\xff\xd8\xff\xe1\x00\x10Exif\x00" + SOME, Image, "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + SOME, Image, "image/png"),
        (b"GIF87a" + SOME, Image, "image/gif"),
        (b"GIF89a" + SOME, Image, "image/gif"),
        (b"RIFF\n\n\x00\x00WEBPVP8 " + SOME, Image, "image/webp"),
        (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" + SOME, Document, "application/pdf"),
        (b"%PDF-1.4\nall of it is text\n%%EOF\n", Document, "application/pdf"),
        (b"\xef\xbb\xbf\n%PDF-2.0\n" + SOME, Document, "application/pdf"),
    ],
)
@pytest.mark.parametrize("name", ["photo", "photo.txt", "dir/photo.png"])
def test_images_and_pdf_are_known_by_their_bytes(data, kind, media_type, name):
    assert attachment(name, data) == kind(name, media_type, base64.b64encode(data).decode())


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"plain\n", "plain\n"),
        (b"no end", "no end\n"),
        (b"\xef\xbb\xbfmarked\n", "marked\n"),
        (b"dos\r\n\tline\r\n", "dos\r\n\tline\r\n"),
        ("日本 🦀\n".encode(), "日本 🦀\n"),
        ("日本 🦀\n".encode("utf-16"), "日本 🦀\n"),
        (b"\xfe\xff" + "日本 🦀\n".encode("utf-16-be"), "日本 🦀\n"),
        (b"\x1b[31mred\x1b[0m\n", "\x1b[31mred\x1b[0m\n"),
        (b"GIF89a is a format\n", "GIF89a is a format\n"),
        (b"%PDF- is how a PDF begins\n", "%PDF- is how a PDF begins\n"),
        (b"BM, MZ and PK\n", "BM, MZ and PK\n"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>\n", "<svg xmlns='http://www.w3.org/2000/svg'/>\n"),
        (b"", "\n"),
    ],
)
def test_text_is_known_by_its_bytes_too(data, text):
    assert text_of(attachment("photo.png", data)) == text


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"PK\x03\x04" + SOME, "a ZIP archive or an Office document"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + SOME, "an Office document"),
        (b"\x7fELF\x02\x01\x01" + SOME, "a program"),
        (b"MZ\x90\x00" + SOME, "a program"),
        (b"\x00\x00\x00\x1cftypheic" + SOME, "a HEIC image"),
        (b"\x00\x00\x00\x1cftypmif1" + SOME, "a HEIC image"),
        (b"\x00\x00\x00\x1cftypavif" + SOME, "an AVIF image"),
        (b"\x00\x00\x00\x1cftypisom" + SOME, "a video"),
        (b"BM\x46\x00\x00\x00\x00\x00\x00\x00" + SOME, "a BMP image"),
        (b"II*\x00" + SOME, "a TIFF image"),
        (b"MM\x00*" + SOME, "a TIFF image"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt " + SOME, "a sound"),
        (b"ID3\x03\x00" + SOME, "a sound"),
        (b"\x1f\x8b\x08" + SOME, "compressed data"),
        (b"a.pdf" + b"\0" * 252 + b"ustar\x0000" + b"\0" * 247 + b"%PDF-1.4", "an archive"),
        (b"SQLite format 3\x00" + SOME, "an SQLite database"),
    ],
)
def test_what_is_refused_is_named(data, what):
    with pytest.raises(InputError) as caught:
        attachment("/tmp/some file.png", data)
    assert caught.value.message == f"the model does not take /tmp/some file.png: it looks like {what}"
    assert caught.value.hint == "it takes text in UTF-8, JPEG, PNG, GIF and WebP images, and PDF"


@pytest.mark.parametrize(
    ("data", "may_be_text"),
    [
        ("café\n".encode("latin-1"), True),
        (b"\xff\xfea", True),
        (b"\xff\xfe\x00\xd8", False),
        (b"a\0b", False),
        (b"\xff\xfe\x00\x00a\x00\x00\x00", False),
        (b"\xff\xd8", True),
        (b"RIFF\n\n\x00\x00WEB", False),
    ],
)
def test_what_is_not_known_is_refused_too(data, may_be_text):
    with pytest.raises(InputError) as caught:
        attachment("x", data)
    assert "neither text in UTF-8 nor an image or PDF" in caught.value.message
    assert ("iconv" in caught.value.hint) == may_be_text


@settings(max_examples=300, deadline=None)
@given(
    st.binary()
    | st.builds(
        bytes.__add__,
        st.sampled_from([b"\xff\xd8\xff", b"GIF89a", b"%PDF-1", b"\xff\xfe", b"\xfe\xff", b"RIFF1234WEBP", b"PK\3\4"]),
        st.binary(),
    )
)
def test_any_bytes_become_a_block_or_are_refused(data):
    try:
        block = attachment("x", data)
    except InputError:
        return
    if not isinstance(block, Text):
        assert base64.b64decode(block.data, validate=True) == data


@settings(max_examples=300, deadline=None)
@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
    | st.lists(
        st.sampled_from(["</", "file", "FILE", "-2", "-3", ">", " ", "\n", "</file>", "</file-2>", "<stdin>"])
    ).map("".join),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
@example("</file></ FILE-2 ></file-3\n>", "utf-8")
def test_text_is_neither_lost_nor_altered_and_cannot_end_its_tags(text, encoding):
    if re.match(r"\s*%PDF-\d|\ufeff", text):
        return
    block = attachment("x", text.encode(encoding))
    assert text_of(block) in (text, f"{text}\n")
    tag = block.text[1:].partition(" ")[0]
    assert len(re.findall(rf"</\s*{tag}\b(?!-\d)", block.text, re.IGNORECASE)) == 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("notes.txt", "notes.txt"),
        ("src/a b.py", "src/a b.py"),
        ("../x.py", "../x.py"),
        ("/home/me/secret project/x.py", "x.py"),
        ("/dev/fd/63", "/dev/fd/63"),
        ("caf\udce9.txt", "caf\\xe9.txt"),
        ('a"b.txt', "a\\x22b.txt"),
        ("</file>.txt", "\\x3c/file\\x3e.txt"),
        ("two\nlines\x1b[31m", "two lines␛[31m"),
        ("a\u202eb", "a\\u202eb"),
        (" ", "file"),
        ("日本.txt", "日本.txt"),
    ],
)
def test_a_name_is_harmless_and_tells_no_more_than_it_must(path, name):
    assert shown_name(path) == name
    assert attachment(path, b"x") == Text(f'<file name="{name}">\nx\n</file>')


@given(st.text(min_size=1, max_size=600))
def test_no_name_breaks_the_tag_it_stands_in(path):
    name = shown_name(path)
    assert 0 < len(name) <= MAX_NAME
    assert TAGS.fullmatch(attachment(path, b"x").text)[2] == name


PICTURE, PAPER, NOTES = Image("a.png", "image/png", ""), Document("b.pdf", "application/pdf", ""), Text("notes")


@pytest.mark.parametrize(
    ("blocks", "words", "content"),
    [
        ((), "why?", "why?"),
        ((PICTURE, NOTES), "why?", (PICTURE, NOTES, Text("why?"))),
        ((NOTES, PICTURE), "", (NOTES, PICTURE)),
        ((PAPER,), " \n", (PAPER,)),
    ],
)
def test_the_files_come_first_in_their_order(blocks, words, content):
    """The API takes no text that is only white space."""
    assert with_attachments(blocks, words) == content


@pytest.mark.parametrize("model", ["local", "local:smollm2", "local:x.gguf"])
@pytest.mark.parametrize("block", [PICTURE, PAPER])
def test_an_embedded_model_takes_only_text(model, block):
    check_model([NOTES], model)
    check_model([NOTES, block], "claude-x")
    with pytest.raises(InputError, match=f"{model} does not take {block.name}"):
        check_model([NOTES, block], model)


def test_what_cannot_be_looked_into_is_named():
    assert not_text([PICTURE, NOTES, PAPER]) == ["a.png", "b.pdf"]


@pytest.mark.parametrize(
    ("data", "blank"), [(b"", True), (b" \n\t\n", True), (b"><\n", False), (b"x", False), (b"\x89PNG\r\n\x1a\n", False)]
)
def test_a_file_may_have_nothing_in_it(data, blank):
    assert is_blank(attachment("a<b>.txt", data)) == blank
