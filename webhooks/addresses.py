"""Which addresses an endpoint may have. Plain Python; no name is looked up.

Checked when an endpoint is made, on every change, and before every attempt. Where a name leads to is checked at the
moment of sending, by whoever dials it (`webhooks.sending`).
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

MOST_CHARACTERS = 500
PORTS = (443, 8443)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# Names that never leave a machine or a network.
_INNER_SUFFIXES = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa", "onion", "invalid")


class AddressRefused(ValueError):
    """Not an address that is sent to; the message says why, in words for its owner."""


def check_address(url: str, *, allow_loopback: bool = False) -> None:
    """Raises AddressRefused."""
    parts = _split(url)
    if allow_loopback and parts.hostname and is_loopback(parts.hostname):
        return
    if parts.scheme != "https":
        raise AddressRefused("The address has to begin with https://.")
    if parts.username is not None or parts.password is not None:
        raise AddressRefused(
            "An address with a user name or password is not sent to. The signature shows who sends; the receiver "
            "can check that instead."
        )
    if parts.fragment:
        raise AddressRefused("Leave out the part after #: it is never sent.")
    _check_host(parts.hostname or "")
    if _port(parts) not in PORTS:
        raise AddressRefused("Only the ports 443 and 8443 are sent to.")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _split(url: str) -> SplitResult:
    if len(url) > MOST_CHARACTERS:
        raise AddressRefused(f"The address is longer than {MOST_CHARACTERS} characters.")
    # Other programs read these characters in several ways, and a host must be the same to all of them.
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        raise AddressRefused("Write the address without spaces and special letters; a name such as bücher.de as xn--….")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise AddressRefused("This is not an address.") from error
    return parts


def _port(parts: SplitResult) -> int:
    return 443 if parts.port is None else parts.port


def _check_host(host: str) -> None:
    labels = host.split(".")
    if ":" in host or _is_number(labels[-1] or labels[-2 if len(labels) > 1 else -1]):
        raise AddressRefused("Give a host name, not a number: those are not sent to.")
    if len(labels) < 2 or labels[-1] in _INNER_SUFFIXES:
        raise AddressRefused("Give the full name of a host on the Internet, such as hooks.your-shop.com.")
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise AddressRefused("This is not the name of a host.")


def _is_number(label: str) -> bool:
    """What a browser takes for the end of an IPv4 address: decimal, octal or hexadecimal."""
    return label.isdecimal() or re.fullmatch(r"0x[0-9a-f]*", label) is not None
