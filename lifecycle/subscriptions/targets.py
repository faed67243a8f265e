"""Where events may be sent to: which addresses are refused, and how a name is resolved."""

import socket
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from lifecycle.errors import Fault, Invalid

LONGEST_URL = 2000
PORTS = {"http": 80, "https": 443}

Resolve = Callable[[str, int], Sequence[str]]
"""From a host's name and a port to its addresses, in the order to try them. Raises OSError where there is none."""

_GLOBAL_V6 = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
# 6to4 and Teredo: each carries an IPv4 address that a relay would go to.
_TUNNELS = (IPv6Network("2002::/16"), IPv6Network("2001::/32"))


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask this machine's resolver, which also reads 127.1, 0x7f000001 and 2130706433 as it would when connecting.

    Raises:
        OSError: there is no such name.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"not a host's name: {type(error).__name__}") from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def is_public(address: str) -> bool:
    """Whether an address is one of the public Internet's, however it is written or wrapped."""
    known = ip_address(address)
    if isinstance(known, IPv6Address):
        return _is_public_v6(known)
    return known.is_global and not known.is_multicast


def _is_public_v6(address: IPv6Address) -> bool:
    if address in _NAT64:
        return is_public(str(IPv4Address(int(address) & 0xFFFFFFFF)))
    if any(address in tunnel for tunnel in _TUNNELS):
        return False
    return address in _GLOBAL_V6 and address.is_global and not address.is_multicast


class Refused(OSError):
    """A target that events are not sent to."""


def addresses(host: str, port: int, resolve: Resolve, private: bool) -> Sequence[str]:
    """The addresses to connect to.

    Raises:
        Refused: one of them is not public, and `private` targets are not allowed.
        OSError: there is none.
    """
    found = resolve(host, port)
    if not found:
        raise OSError("it has no address")
    if not private and not all(map(is_public, found)):
        raise Refused("it is in a private network")
    return found


def check(url: str, private: bool, resolve: Resolve = resolve) -> None:
    """Refuse a URL that events cannot or must not be sent to.

    Raises:
        Invalid: it is malformed, or leads into a private network.
    """
    faults = [Fault("/url", rule, mend) for rule, mend in _faults(url, private)]
    if not faults and not private:
        host, port = host_and_port(urlsplit(url))
        try:
            addresses(host, port, resolve, private)
        except Refused:
            mend = (
                "Name a public address; an operator can allow others with LIFECYCLE_WEBHOOK_PRIVATE_TARGETS."
            )
            faults.append(Fault("/url", "private", mend))
        except OSError:
            faults.append(Fault("/url", "resolves", "Name a host that exists: this one has no address."))
    if faults:
        raise Invalid(faults, "The subscription")


def _faults(url: str, private: bool) -> list[tuple[str, str]]:
    if not 0 < len(url) <= LONGEST_URL:
        return [("length", f"Give a URL of at most {LONGEST_URL} characters.")]
    if not (url.isascii() and url.isprintable()) or set(url) & set(' \\"<>'):
        return [("format", "Write it in ASCII, percent-encoded, its host in Punycode.")]
    try:
        parts = urlsplit(url)
        host, port = host_and_port(parts)
    except ValueError:
        return [("format", "Write it like https://HOST/PATH.")]
    found = []
    schemes = ("https", "http") if private else ("https",)
    if parts.scheme not in schemes:
        found.append(("scheme", f"Use {' or '.join(schemes)}."))
    if not host or not 0 < port < 2**16:
        found.append(("format", "Write it like https://HOST/PATH."))
    if "@" in parts.netloc:
        found.append(
            ("credentials", "Leave user and password out: messages are signed, which says who sends.")
        )
    return found


def host_and_port(parts: SplitResult) -> tuple[str, int]:
    """Raises ValueError where the port is no number."""
    port = parts.port
    return parts.hostname or "", PORTS.get(parts.scheme, 443) if port is None else port
