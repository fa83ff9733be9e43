"""Clients: the SDK's, with our timeouts, and with credentials that are checked before anything is asked."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamcli.core.address import host_of, is_http_url
from streamcli.core.retry import AttemptFailed
from streamcli.errors import ConfigError, KeyRefused, RequestRefused, StreamBroken
from streamcli.net import faults, sdk

if TYPE_CHECKING:
    import httpx2

# Asked again and again what is wrong in a log, a 0.5B model found it more often at this than at the server's 0.8.
EMBEDDED_TEMPERATURE = 0.2
# Bytes of an error's body that are read: the SDK would read one without end.
MAX_ERROR_BODY = 1 << 20


class Client:
    """The SDK's client, and what a request needs besides. Times are in seconds; 0 means no limit."""

    def __init__(
        self,
        module: Any,
        inner: Any,
        *,
        connect_timeout: float,
        idle_timeout: float,
        asks_again: bool = False,
        extra_body: dict[str, Any] | None = None,
    ) -> None:
        import httpx2

        self._extra_body = extra_body

        self._sdk = module
        self._inner = inner
        self.idle_timeout = idle_timeout
        self.asks_again = asks_again
        """Whether more requests will follow, for which a connection is worth keeping."""
        idle = idle_timeout or None
        self._timeout = httpx2.Timeout(connect=connect_timeout or None, read=idle, write=idle, pool=None)

    async def open(self, params: dict[str, Any]) -> "httpx2.Response":
        """Sends the request; returns the response once its headers are there. Raises AttemptFailed."""
        with self._translated():
            opened = await self._inner.messages.create(
                **params, stream=True, timeout=self._timeout, extra_body=self._extra_body
            )
        response: httpx2.Response = opened.response
        return response

    async def count_tokens(self, params: dict[str, Any]) -> int:
        """Asks the server how many tokens a request has. Raises AttemptFailed."""
        counted: Any = None
        with self._translated(), suppress(ValueError):  # what is no JSON is no count
            counted = await self._inner.messages.count_tokens(**params, timeout=self._timeout)
        tokens = getattr(counted, "input_tokens", None)
        if not isinstance(tokens, int):
            error = StreamBroken("the server's answer is no count of tokens", "check --base-url")
            raise AttemptFailed(error, retryable=True)
        return tokens

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            failed = faults.before_the_stream(error, self._sdk)
            if failed is None:
                raise
            raise failed from error


def connect(base_url: str | None, *, connect_timeout: float, idle_timeout: float, asks_again: bool = False) -> Client:
    """A client for the API, or for a server that speaks it; `asks_again` as in Client.

    Raises KeyRefused, ConfigError.
    """
    _check_address()
    _check_keys()
    _settle_for_no_home()
    module = sdk.load()
    try:
        http_client = module.DefaultAsyncHttpxClient()
        inner = module.AsyncAnthropic(
            base_url=base_url, max_retries=0, default_headers=_HEADERS, http_client=http_client
        )
    except module.AnthropicError as error:
        raise KeyRefused("the credentials cannot be used", "check ANTHROPIC_PROFILE and its file") from error
    except (ImportError, OSError, ValueError, _invalid_url()) as error:
        raise ConfigError(
            f"the environment's network settings cannot be used ({type(error).__name__})",
            "check the proxy variables, NO_PROXY, SSL_CERT_FILE, SSL_CERT_DIR and SSLKEYLOGFILE",
        ) from error
    if inner.api_key is None and inner.auth_token is None and inner.credentials is None:
        raise faults.no_key()
    http_client.event_hooks = _hooks(str(inner.base_url))
    return Client(module, inner, connect_timeout=connect_timeout, idle_timeout=idle_timeout, asks_again=asks_again)


def connect_embedded(base_url: str, api_key: str, *, connect_timeout: float, idle_timeout: float) -> Client:
    """A client for the embedded server: no proxy, and no connection is used twice (of those, some failed)."""
    _settle_for_no_home()
    module = sdk.load()
    inner = module.AsyncAnthropic(
        base_url=base_url,
        api_key=api_key,
        max_retries=0,
        default_headers={**_HEADERS, "Connection": "close"},
        http_client=module.DefaultAsyncHttpxClient(trust_env=False, verify=False),
    )
    return Client(
        module,
        inner,
        connect_timeout=connect_timeout,
        idle_timeout=idle_timeout,
        extra_body={"temperature": EMBEDDED_TEMPERATURE},
    )


# A gateway that compresses a stream tends to hold it back.
_HEADERS = {"Accept-Encoding": "identity"}


def _hooks(address: str) -> dict[str, list[Any]]:
    """What the transport does with each request and response of ours."""
    home = host_of(address)

    async def stay_at_home(request: "httpx2.Request") -> None:
        """A redirect would take the prompt, the log and custom headers to a server that the user did not choose."""
        downgrade = address.startswith("https:") and request.url.scheme != "https"
        if downgrade or host_of(str(request.url)) != home:
            raise RequestRefused(
                f"the server redirects to {host_of(str(request.url))}", "if that is right, make it the --base-url"
            )

    async def cap_error(response: "httpx2.Response") -> None:
        if response.status_code >= 400:
            response.stream = _capped(response.stream)

    return {"request": [stay_at_home], "response": [cap_error]}


def _capped(stream: Any) -> Any:
    import httpx2

    class Capped(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            size = 0
            async for chunk in stream:
                yield chunk
                size += len(chunk)
                if size > MAX_ERROR_BODY:
                    return

        async def aclose(self) -> None:
            await stream.aclose()

    return Capped()


def _invalid_url() -> type[Exception]:
    import httpx2

    return httpx2.InvalidURL


def _settle_for_no_home() -> None:
    """The SDK looks for its profile in the home directory, and fails where there is no such thing."""
    try:
        Path.home()
    except RuntimeError:
        os.environ.setdefault("ANTHROPIC_CONFIG_DIR", os.devnull)


def _check_address() -> None:
    address = os.environ.get("ANTHROPIC_BASE_URL")
    if address == "":
        del os.environ["ANTHROPIC_BASE_URL"]  # empty is unset; the SDK takes it for an address
    elif address is not None and not is_http_url(address):
        raise ConfigError("ANTHROPIC_BASE_URL is no http(s) URL", "for instance http://127.0.0.1:8080")


def _check_keys() -> None:
    """A key that no header can carry fails late and obscurely in the SDK; it is never shown."""
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"):
        key = os.environ.get(name)
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise KeyRefused(f"{name} has characters that no key has", "is there a line break or a space in it?")
