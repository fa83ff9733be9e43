"""Addresses of servers."""

from urllib.parse import urlsplit


def is_http_url(address: str) -> bool:
    """Whether it is one that a request can go to: http or https, a host, and nothing that no header can carry."""
    try:
        parts = urlsplit(address)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return good and address.isprintable() and " " not in address


def host_of(address: str) -> str:
    """Host and port for a message, without the credentials that a URL may carry."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        return "the server"
    if not host:
        return "the server"
    host = f"[{host}]" if ":" in host else host
    return host if port is None else f"{host}:{port}"
