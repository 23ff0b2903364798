"""Which addresses an endpoint may have: a recipe from a stranger must not make this machine ask its own network.

Public and loopback addresses are allowed, private ones when the user says so, link-local addresses and the metadata
services of clouds never. What counts is the IP that the connection goes to, in whatever spelling it was given.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from urllib.parse import urlsplit

from isoglot.errors import RequestError

Ip = ipaddress.IPv4Address | ipaddress.IPv6Address


class Reach(IntEnum):
    """How far away an IP is, from harmless to forbidden."""

    PUBLIC = 0
    LOOPBACK = 1
    PRIVATE = 2
    NEVER = 3


# Metadata services answer with the machine's credentials; some have addresses that look public or merely private.
_METADATA = frozenset(
    ipaddress.ip_address(text)
    for text in (
        "169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254", "fd20:ce::254",
    )
)  # fmt: skip
_METADATA_NAMES = frozenset(
    {"metadata.google.internal", "metadata.goog", "metadata", "instance-data", "instance-data.ec2.internal"}
)
_THIS_NETWORK = ipaddress.ip_network("0.0.0.0/8")
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.ip_network("::/96")


@dataclass(frozen=True)
class Address:
    """Where an endpoint is, and which of its models is asked.

    Attributes:
        scheme: http or https.
        host: ASCII name or IP, without brackets.
        port: of TCP.
        path: of the embeddings call, such as /v1/embeddings.
        model: name of the model on the server.
    """

    scheme: str
    host: str
    port: int
    path: str
    model: str

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.scheme == "https" else 80) else f"{host}:{self.port}"

    def url(self, ip: str) -> str:
        """The call's address with the name replaced by the IP that was checked."""
        return f"{self.scheme}://{f'[{ip}]' if ':' in ip else ip}:{self.port}{self.path}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_address(name: str) -> Address:
    """Read `https://HOST/v1#MODEL`.

    Raises:
        RequestError: another scheme, no model, no host, or parts that an address must not have.
    """
    place, _, model = name.partition("#")
    form = "Write it as https://HOST/v1#MODEL."
    if re.search(r"[\x00-\x20\x7f\\@?]", place):  # never shown: what stands there may be a secret
        raise RequestError("The teacher's address holds a user, password, query, space or backslash.", form)
    try:
        parts = urlsplit(place)
        host = parts.hostname or ""
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = host if ":" in host else host.encode("idna").decode("ascii")
    except ValueError as error:  # UnicodeError is one
        raise RequestError(f"{name} is not a valid address.", form) from error
    if parts.scheme not in ("http", "https"):
        raise RequestError(f"{name}: only http and https are spoken, not {parts.scheme}.", form)
    if not host or not model:
        raise RequestError(f"{name} names no {'model' if host else 'host'}.", form)
    path = parts.path.rstrip("/")
    return Address(
        parts.scheme, host, port, path if path.endswith("/embeddings") else f"{path}/embeddings", model
    )


def reach(ip: str) -> Reach:
    """Judge an IP, and any IPv4 address that is hidden in an IPv6 one."""
    address = ipaddress.ip_address(ip.partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        return _reach(address.ipv4_mapped)  # the same connection, written differently
    hidden = [_reach(inner) for inner in _hidden(address)]
    tunnelled = [Reach.NEVER if one == Reach.LOOPBACK else one for one in hidden]
    return max([_reach(address) if not hidden else Reach.PUBLIC, *tunnelled])


def _reach(address: Ip) -> Reach:
    if address.is_loopback:
        return Reach.LOOPBACK
    odd = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    if odd or address in _METADATA or (address.version == 4 and address in _THIS_NETWORK):
        return Reach.NEVER
    site_local = isinstance(address, ipaddress.IPv6Address) and address.is_site_local
    return Reach.PUBLIC if address.is_global and not site_local else Reach.PRIVATE


def _hidden(address: Ip) -> Iterator[ipaddress.IPv4Address]:
    """IPv4 addresses that a gateway would take out of an IPv6 one: 6to4, Teredo, NAT64, IPv4-compatible."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    if address.sixtofour:
        yield address.sixtofour
    if address.teredo:
        yield from address.teredo
    compatible = address in _COMPATIBLE and int(address) > 1  # but not :: and ::1
    if compatible or any(address in network for network in _NAT64):
        yield ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)


def check(address: Address, ips: list[str], *, allow_private: bool, secret: bool) -> None:
    """Refuse an address unless every IP of its name is allowed.

    Args:
        address: what the user gave.
        ips: what its host resolves to.
        allow_private: also private addresses.
        secret: whether a key goes along.

    Raises:
        RequestError: one is not allowed, or the key would travel in the clear.
    """
    if address.host.rstrip(".").lower() in _METADATA_NAMES:
        raise RequestError(f"{address} is a metadata service.", "Give the address of an embeddings server.")
    for ip in ips:
        far = reach(ip)
        if far == Reach.NEVER:
            raise RequestError(
                f"{address} leads to {ip}, a link-local, metadata or reserved address, which is never asked."
            )
        if far == Reach.PRIVATE and not allow_private:
            raise RequestError(
                f"{address} leads to the private address {ip}.",
                "If that is your own server: teacher.endpoint.allow_private = true.",
            )
        if far == Reach.PUBLIC and secret and address.scheme == "http":
            raise RequestError(
                f"{address} would get the key unencrypted.", "Use https, or leave out endpoint.key_env."
            )
