from __future__ import annotations

import pytest

from accounts.devices import device_digest, device_name

WINDOWS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36"
)
MAC = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Safari/605.1.15"
ANDROID = "Mozilla/5.0 (Android 16; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (WINDOWS, "Chrome on Windows"),
        (f"{WINDOWS} Edg/143.0.0.0", "Edge on Windows"),
        (MAC, "Safari on Mac"),
        (ANDROID, "Firefox on Android"),
        ("python-requests/2.32", "python-requests"),
        ("curl/8.17.0", "curl"),
        ("", "An unknown program"),
        ("x\x00\n" + "y" * 100, "x" + "y" * 39),
    ],
)
def test_a_device_is_called_what_people_call_it(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name


def test_a_new_version_or_another_address_nearby_is_the_same_device() -> None:
    here = device_digest(WINDOWS, "198.51.100.7")
    assert device_digest(WINDOWS.replace("143", "144"), "198.51.100.200") == here
    assert device_digest(MAC, "198.51.100.7") != here
    assert device_digest(WINDOWS, "203.0.113.7") != here
    assert device_digest(WINDOWS, "2001:db8::1") == device_digest(WINDOWS, "2001:db8:0:1::2") != here
