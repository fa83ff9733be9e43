"""The SDK's and the transport's exceptions -> what failed, and whether to try again.

Measured on SDK 2.12: before the headers everything is an APIError; after them nothing is wrapped, and an `error` event
is handled by core/turn.py. Messages are our own: the SDK's may quote a header, and so a key.
"""

import os
import socket
import ssl
import time
from collections.abc import Iterator
from typing import Any

from streamcli.core.address import host_of
from streamcli.core.limits import quota, retry_after
from streamcli.core.retry import AttemptFailed, failure_of_status
from streamcli.core.sanitize import one_line
from streamcli.errors import ConfigError, KeyRefused, StreamBroken, StreamcliError, Unavailable


def before_the_stream(error: Exception, sdk: Any) -> AttemptFailed | None:
    """What `messages.create` raised; None for what is no fault of the wire."""
    if isinstance(error, sdk.APIStatusError):
        return _refused(error)
    if isinstance(error, sdk.APIConnectionError):
        return _unreachable(error)
    if isinstance(error, sdk.AnthropicError):
        return AttemptFailed(KeyRefused(f"no usable credentials: {one_line(str(error))}"), retryable=False)
    if isinstance(error, TypeError) and "authentication" in str(error):
        return AttemptFailed(no_key(), retryable=False)
    return None


def in_the_stream(error: Exception, idle_timeout: float, request_id: str | None) -> AttemptFailed:
    """What reading the body raised, after the server had answered 200."""
    import httpx2

    if isinstance(error, httpx2.ReadTimeout):
        what = f"the stream broke: not a byte for {idle_timeout:g} s"
    elif isinstance(error, httpx2.RemoteProtocolError):
        what = "the stream broke: the connection ended in the middle of a chunk"
    elif isinstance(error, httpx2.DecodingError):
        what = "the stream broke: its compression is damaged"
    else:
        what = "the stream broke: the connection was lost"
    return AttemptFailed(StreamBroken(what, request_id=request_id), retryable=True)


def no_key() -> KeyRefused:
    """There are no credentials at all."""
    return KeyRefused(
        "no API key",
        "set ANTHROPIC_API_KEY, or use --model local, which needs none",
    )


def _refused(error: Any) -> AttemptFailed:
    headers = error.response.headers
    now = time.time()
    wait = retry_after(headers, now)
    if wait is None and error.status_code == 429 and (left := quota(headers, now)) and not left.requests:
        wait = left.resets_in
    return failure_of_status(
        error.status_code,
        _server_message(error),
        error_code=getattr(error, "error_code", None),
        request_id=error.request_id,
        retry_after=wait,
        should_retry=headers.get("x-should-retry"),
    )


def _server_message(error: Any) -> str:
    """The message in the error's body; of a body that is not the API's (a proxy's page) only its kind."""
    body = error.body
    if isinstance(body, dict):
        inner = body.get("error", body)
        if isinstance(inner, dict) and isinstance(inner.get("message"), str):
            return str(inner["message"])
        if isinstance(inner, str):
            return inner
    content_type = error.response.headers.get("content-type", "").partition(";")[0]
    return f"{error.response.reason_phrase or 'an error'} ({content_type or 'no content type'})"


def _unreachable(error: Exception) -> AttemptFailed:
    import httpx2

    where = _host(error)
    chain = list(_causes(error))
    certificate = next((link for link in chain if isinstance(link, ssl.SSLCertVerificationError)), None)
    if certificate is not None:
        what = f"the certificate of {where} is not valid: {certificate.verify_message}"
        hint = "for a private authority, set SSL_CERT_FILE to its certificate"
        return AttemptFailed(Unavailable(what, hint), retryable=False)
    for link in chain:
        if isinstance(link, StreamcliError):  # our own hooks': see net/client.py
            return AttemptFailed(link, retryable=False)
        if isinstance(link, httpx2.LocalProtocolError):
            return AttemptFailed(
                ConfigError("a request header cannot be sent", "check the key and ANTHROPIC_CUSTOM_HEADERS"),
                retryable=False,
            )
        if isinstance(link, httpx2.UnsupportedProtocol | httpx2.InvalidURL):
            return AttemptFailed(ConfigError("the server's address is no http(s) URL"), retryable=False)
        if isinstance(link, httpx2.ConnectTimeout):
            return _try_later(f"cannot connect to {where}: no connection within --connect-timeout")
        if isinstance(link, httpx2.TimeoutException):
            return _try_later(f"no answer from {where}: not a byte within --idle-timeout")
        if isinstance(link, httpx2.ConnectError | httpx2.ProxyError):
            return _try_later(f"cannot connect to {where}: {_reason(chain)}", "check --base-url and the network")
    return _try_later(f"{where} closed the connection without an answer")


def _try_later(what: str, hint: str | None = None) -> AttemptFailed:
    return AttemptFailed(Unavailable(what, hint), retryable=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    link: BaseException | None = error
    while link is not None:
        yield link
        link = link.__cause__ or link.__context__


def _reason(chain: list[BaseException]) -> str:
    """The system's word for it (Connection refused, Name or service not known), from the deepest error."""
    for link in reversed(chain):
        if isinstance(link, socket.gaierror):
            return link.strerror or "the name cannot be resolved"
        if isinstance(link, OSError) and link.errno:
            return os.strerror(link.errno)
    return "connection failed"


def _host(error: Exception) -> str:
    request = getattr(error, "request", None)
    return host_of(str(request.url)) if request is not None else "the server"
