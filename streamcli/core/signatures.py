"""What a file is by its first bytes: the kinds that the model takes, and names for common ones that it does not."""

import re

_IMAGES = (
    (re.compile(rb"\xff\xd8\xff"), "image/jpeg"),
    (re.compile(rb"\x89PNG\r\n\x1a\n"), "image/png"),
    (re.compile(rb"GIF8[79]a"), "image/gif"),
    (re.compile(rb"RIFF.{4}WEBP", re.DOTALL), "image/webp"),
)
# Readers forgive white space before the signature. Without a version it is a text about PDF.
_PDF = re.compile(rb"(?:\xef\xbb\xbf)?\s*%PDF-[0-9]")

# As a clause goes on after "looks like".
_OTHERS = tuple(
    (re.compile(pattern, re.DOTALL), what)
    for pattern, what in (
        (rb".{4}ftyp(?:hei|hev|mif1|msf1)", "a HEIC image"),
        (rb".{4}ftypavi", "an AVIF image"),
        (rb".{4}ftyp|\x1aE\xdf\xa3|RIFF.{4}AVI ", "a video"),
        (rb"ID3|\xff[\xf1-\xf3\xf9-\xfb]|OggS|fLaC|RIFF.{4}WAVE", "a sound"),
        (rb"BM.{4}\x00{4}", "a BMP image"),
        (rb"II\*\x00|MM\x00\*", "a TIFF image"),
        (rb"\x00\x00\x01\x00", "an icon"),
        (rb"\xff\x0a|\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
        (rb"8BPS", "a Photoshop image"),
        (rb"PK(?:\x03\x04|\x05\x06)", "a ZIP archive or an Office document"),
        (rb"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an Office document"),
        (rb"\x1f\x8b|BZh|\xfd7zXZ\x00|\x28\xb5\x2f\xfd", "compressed data"),
        (rb"7z\xbc\xaf\x27\x1c|Rar!\x1a|.{257}ustar", "an archive"),
        (rb"SQLite format 3\x00", "an SQLite database"),
        (rb"\x7fELF|MZ|[\xce\xcf]\xfa\xed\xfe|\xca\xfe\xba\xbe", "a program"),
    )
)


def image_type(data: bytes) -> str | None:
    """The media type of an image that the model takes."""
    return next((media_type for signature, media_type in _IMAGES if signature.match(data)), None)


def is_pdf(data: bytes) -> bool:
    """Whether it begins as a PDF does. Some are text."""
    return _PDF.match(data) is not None


def looks_like(data: bytes) -> str | None:
    """What the model does not take, in words: "a HEIC image"; None for what is not known."""
    return next((what for signature, what in _OTHERS if signature.match(data)), None)
