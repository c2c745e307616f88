"""What somebody signs in with, in words, and where: said on the list of sessions and in mails."""

from __future__ import annotations

import hashlib
import ipaddress

# The first that is found is it: most browsers call themselves by their rivals' names as well.
BROWSERS = (
    ("Edg/", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("Windows", "Windows"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)
MOST_LETTERS = 40
IPV4_PREFIX, IPV6_PREFIX = 24, 48  # networks within which an address changes by itself


def device_name(user_agent: str) -> str:
    """ "Firefox on Windows"; for a program, what it calls itself."""
    browser = _first(BROWSERS, user_agent)
    system = _first(SYSTEMS, user_agent)
    if browser and system:
        return f"{browser} on {system}"
    program = user_agent.partition(" ")[0].partition("/")[0]
    return "".join(filter(str.isprintable, program))[:MOST_LETTERS] or "An unknown program"


def _first(names: tuple[tuple[str, str], ...], user_agent: str) -> str:
    return next((name for sign, name in names if sign in user_agent), "")


def device_digest(user_agent: str, address: str) -> str:
    """The same for the same browser in the same network, whatever its version and last digits."""
    parsed = ipaddress.ip_address(address)
    prefix = IPV4_PREFIX if parsed.version == 4 else IPV6_PREFIX
    network = ipaddress.ip_network((parsed, prefix), strict=False)
    return hashlib.sha256(f"{device_name(user_agent)}\n{network}".encode()).hexdigest()
