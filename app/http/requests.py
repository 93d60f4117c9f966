"""Who a request comes from: its key, its address, and whether a browser sent it."""

from collections.abc import MutableMapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, Protocol

from app.core.addresses import parsed_address, plain_address
from app.core.context import RequestInfo

Network = IPv4Network | IPv6Network


class RequestHeaders(Protocol):
    """Headers by their names, in any case; of those that are given twice the first."""

    def get(self, name: str, /) -> str | None: ...

    def __contains__(self, name: object, /) -> bool: ...

    def getlist(self, name: str, /) -> list[str]: ...


class Peer(Protocol):
    """The other end of a connection."""

    @property
    def host(self) -> str: ...


class Caller(Protocol):
    """What is asked of a request before its body is: Starlette's, or one that came whole."""

    @property
    def headers(self) -> RequestHeaders: ...

    @property
    def client(self) -> Peer | None: ...

    @property
    def scope(self) -> MutableMapping[str, Any]: ...


def parse_networks(text: str) -> tuple[Network, ...]:
    """Networks from a setting with commas between. Raises ValueError for what is none."""
    return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())


def request_info(caller: Caller, trusted_proxies: tuple[Network, ...]) -> RequestInfo:
    """The client's address, and what a browser says of the visitor, where one sent the request."""
    headers = caller.headers
    address = client_address(caller, trusted_proxies)
    from_browser = "origin" in headers or "sec-fetch-mode" in headers or "sec-fetch-site" in headers
    return RequestInfo(
        address=plain_address(address) if address else None,
        user_agent=headers.get("user-agent") if from_browser else None,
        refuses_tracking=headers.get("dnt") == "1" or headers.get("sec-gpc") == "1",
    )


def client_address(caller: Caller, trusted_proxies: tuple[Network, ...]) -> str | None:
    """The peer's address; behind a trusted proxy the rightmost forwarded one that is not trusted."""
    peer = caller.client
    address = peer.host if peer else None
    if address is None or not _is_trusted(address, trusted_proxies):
        return address
    forwarded = ",".join(caller.headers.getlist("x-forwarded-for"))
    for hop in reversed([part.strip() for part in forwarded.split(",") if part.strip()]):
        if parsed_address(hop) is None:
            break
        address = hop
        if not _is_trusted(hop, trusted_proxies):
            break
    return address


def key_of(authorization: str | None, api_key: str | None) -> str | None:
    """The API key from the values of `Authorization: Bearer KEY` or `X-API-Key: KEY`."""
    if authorization:
        kind, _, key = authorization.strip().partition(" ")
        if kind.lower() == "bearer" and key.strip():
            return key.strip()
    return api_key.strip() if api_key and api_key.strip() else None


def _is_trusted(address: str, trusted_proxies: tuple[Network, ...]) -> bool:
    if not trusted_proxies:
        return False
    ip = parsed_address(address)
    return ip is not None and any(ip in network for network in trusted_proxies)
