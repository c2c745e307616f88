"""What may be an endpoint's address, before any name is looked up."""

from __future__ import annotations

import pytest

from webhooks.addresses import AddressRefused, check_address

REFUSED = [
    "",
    "hooks.alder-goods.com/hook",
    "http://hooks.alder-goods.com/hook",
    "ftp://hooks.alder-goods.com/hook",
    "file:///etc/passwd",
    "gopher://hooks.alder-goods.com/",
    "https://",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.0.1./",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://0.0.0.0/",
    "https://8.8.8.8/",
    "https://[::1]/",
    "https://[::ffff:7f00:1]/",
    "https://[fe80::1%25eth0]/",
    "https://localhost/",
    "https://localhost./",
    "https://redis/",
    "https://db.internal/",
    "https://printer.local/",
    "https://shop.localhost/",
    "https://1.0.0.127.in-addr.arpa/",
    "https://hooks.alder-goods.com:22/",
    "https://hooks.alder-goods.com:80/",
    "https://hooks.alder-goods.com:0/",
    "https://hooks.alder-goods.com:99999/",
    "https://me:secret@hooks.alder-goods.com/",
    "https://hooks.alder-goods.com@127.0.0.1/",
    "https://hooks.alder-goods.com\\@127.0.0.1/",
    "https://hooks.alder-goods.com/#fragment",
    "https://hooks.alder goods.com/",
    "https://hooks.alder-goods.com/\r\nHost: db",
    "https://hooks．alder-goods.com/",
    "https://１２７.0.0.1/",
    "https://-hooks.alder-goods.com/",
    "https://hooks..com/",
    "https://" + "a" * 64 + ".com/",
    "https://hooks.alder-goods.com/" + "a" * 500,
]


@pytest.mark.parametrize("url", REFUSED)
def test_addresses_that_lead_elsewhere_are_refused(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.alder-goods.com/contentopt?shop=1",
        "https://hooks.alder-goods.com:443/",
        "https://hooks.alder-goods.com:8443/",
        "https://xn--bcher-kva.de/haken",
        "HTTPS://Hooks.Alder-Goods.com/",
        "https://my_hook.alder-goods.com",
    ],
)
def test_ordinary_addresses_are_taken(url: str) -> None:
    check_address(url)


def test_loopback_is_taken_where_a_test_allows_it_and_nothing_else_with_it() -> None:
    check_address("http://127.0.0.1:8194/hook", allow_loopback=True)
    with pytest.raises(AddressRefused):
        check_address("http://10.0.0.1/hook", allow_loopback=True)
    with pytest.raises(AddressRefused):
        check_address("http://hooks.alder-goods.com/hook", allow_loopback=True)
