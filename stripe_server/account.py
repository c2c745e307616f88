"""Everything one Stripe account holds, in memory: objects as the API shows them, and what happened to them."""

from __future__ import annotations

import copy
import json
import os
import secrets
import string
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stripe_server.errors import NotFound
from stripe_server.shapes import blank

API_VERSION = "2026-10-28.endive"
Object = dict[str, Any]

# What one resource does when another changes, where the other must not know it: topic -> function.
LISTENERS: dict[str, Callable[..., None]] = {}


def listens(topic: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    def register(listener: Callable[..., None]) -> Callable[..., None]:
        LISTENERS[topic] = listener
        return listener

    return register


PREFIXES = {
    "billing.meter": "mtr",
    "billing_portal.configuration": "bpc",
    "billing_portal.session": "bps",
    "charge": "ch",
    "checkout.session": "cs_test",
    "coupon": "",
    "credit_note": "cn",
    "customer": "cus",
    "discount": "di",
    "dispute": "du",
    "event": "evt",
    "invoice": "in",
    "invoice_payment": "inpay",
    "invoiceitem": "ii",
    "line_item": "il",
    "payment_intent": "pi",
    "payment_method": "pm",
    "price": "price",
    "product": "prod",
    "promotion_code": "promo",
    "refund": "re",
    "setup_intent": "seti",
    "subscription": "sub",
    "subscription_item": "si",
    "subscription_schedule": "sub_sched",
    "test_helpers.test_clock": "clock",
    "webhook_endpoint": "we",
}
# Of objects that carry no such fields.
WITHOUT_LIVEMODE = frozenset({"subscription_item", "discount", "line_item", "refund"})
WITHOUT_CREATED = frozenset({"discount", "line_item", "invoiceitem"})


def new_id(prefix: str, length: int = 24) -> str:
    letters = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))
    return f"{prefix}_{letters}" if prefix else letters[:8]


class Account:
    def __init__(self, path: Path | None = None) -> None:
        self.lock = threading.RLock()
        self.news = threading.Condition(self.lock)  # an event was emitted
        self.path = path
        self.url = ""  # where our own pages are
        self.is_dirty = False
        self.reset()
        if path and path.exists():
            self._load(json.loads(path.read_text()))

    def reset(self) -> None:
        with self.lock:
            self.objects: dict[str, dict[str, Object]] = {}
            self.replies: dict[str, Object] = {}  # by idempotency key
            self.deliveries: list[Object] = []
            self.meter_events: dict[str, Object] = {}
            self.offset = 0  # seconds that the account's clock is ahead of the machine's
            self.faults: Object = {}
            self.requests: list[Object] = []  # what was asked, for tests that count

    # --- Objects ---

    def create(self, kind: str, **fields: Any) -> Object:
        made = blank(kind) | {"id": fields.pop("id", None) or new_id(PREFIXES[kind])}
        if kind not in WITHOUT_LIVEMODE:
            made["livemode"] = False
        if kind not in WITHOUT_CREATED:
            made["created"] = self.now(fields.get("customer"))
        made |= fields
        self.objects.setdefault(kind, {})[made["id"]] = made
        self.is_dirty = True
        return made

    def get(self, kind: str, identifier: Any, param: str = "id") -> Object:
        found = self.objects.get(kind, {}).get(str(identifier))
        if found is None:
            raise NotFound(kind.rpartition(".")[2], str(identifier), param)
        return found

    def find(self, identifier: str) -> Object | None:
        return next((kind[identifier] for kind in self.objects.values() if identifier in kind), None)

    def all(self, kind: str, **equal: Any) -> list[Object]:
        """Newest first."""
        wanted = {key: value for key, value in equal.items() if value is not None}
        found = reversed(self.objects.get(kind, {}).values())
        return [each for each in found if all(each.get(key) == value for key, value in wanted.items())]

    def change(self, obj: Object, event: str = "", **fields: Any) -> Object:
        """Set fields; with the name of an event, tell of it when something changed."""
        before = {key: copy.deepcopy(obj.get(key)) for key in fields if obj.get(key) != fields[key]}
        obj.update(fields)
        self.is_dirty = True
        if before and event:
            self.emit(event, obj, before)
        return before

    def tell(self, topic: str, *about: Any) -> None:
        LISTENERS[topic](self, *about)

    # --- Time ---

    def now(self, customer: Any = None) -> int:
        owner = self.objects.get("customer", {}).get(str(customer)) if customer else None
        clock = (
            self.objects.get("test_helpers.test_clock", {}).get(owner["test_clock"])
            if owner and owner["test_clock"]
            else None
        )
        return int(clock["frozen_time"]) if clock else int(time.time()) + self.offset

    # --- Events ---

    def emit(self, type_: str, obj: Object, previous: Object | None = None) -> Object:
        snapshot = copy.deepcopy(visible(obj))
        created = self.now(obj["id"] if obj["object"] == "customer" else obj.get("customer"))
        event = self.create(
            "event",
            type=type_,
            api_version=API_VERSION,
            data={"object": snapshot} | ({"previous_attributes": previous} if previous else {}),
            pending_webhooks=0,
            request={"id": None, "idempotency_key": None},
        )
        event["created"] = created
        for endpoint in self.objects.get("webhook_endpoint", {}).values():
            if endpoint["status"] == "enabled" and {"*", type_} & set(endpoint["enabled_events"]):
                event["pending_webhooks"] += 1
                self.deliveries.append({"event": event["id"], "endpoint": endpoint["id"], "attempt": 0, "due": 0.0})
        self.news.notify_all()
        return event

    # --- Keeping it ---

    def keep(self) -> None:
        """Write everything down, if something changed since the last time."""
        if self.path is None or not self.is_dirty:
            return
        with self.lock:
            self.is_dirty = False
            kept = json.dumps(
                {name: getattr(self, name) for name in ("objects", "replies", "deliveries", "meter_events", "offset")}
            )
        temporary = self.path.with_suffix(".new")
        temporary.write_text(kept)
        os.replace(temporary, self.path)

    def _load(self, kept: Object) -> None:
        for name, value in kept.items():
            setattr(self, name, value)


def visible(value: Any) -> Any:
    """Without what is ours alone: keys that begin with an underscore."""
    if isinstance(value, dict):
        return {key: visible(each) for key, each in value.items() if not key.startswith("_")}
    return [visible(each) for each in value] if isinstance(value, list) else value


def list_of(data: list[Object], url: str, has_more: bool = False) -> Object:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}
