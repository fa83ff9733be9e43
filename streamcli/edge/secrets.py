"""What must not be shown, whoever says it: a gateway may quote the key that it refuses."""

import os
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

SECRET_VARIABLES = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_CUSTOM_HEADERS")
URL_VARIABLES = (
    "ANTHROPIC_BASE_URL",
    "STREAMCLI_BASE_URL",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
)
# A shorter value is no secret, and may well be a word.
SHORTEST = 6


def mask(text: str) -> str:
    """`text` without the environment's keys and passwords."""
    for secret in sorted(set(_secrets()), key=len, reverse=True):
        text = text.replace(secret, "<secret>")
    return text


def _secrets() -> Iterator[str]:
    for name in SECRET_VARIABLES:
        value = os.environ.get(name, "").strip()
        yield from (part for part in (value, *value.split()) if len(part) >= SHORTEST)
    for name in URL_VARIABLES:
        try:
            password = urlsplit(os.environ.get(name, "")).password
        except ValueError:
            continue
        if password:
            yield from (password, unquote(password))
