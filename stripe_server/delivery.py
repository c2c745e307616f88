"""Signed webhooks to the registered endpoints, with the faults that tests ask for."""

from __future__ import annotations

import json
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
from stripe import WebhookSignature

from stripe_server.account import Account, Object, visible

TIMEOUT_SECONDS = 10
RETRY_SECONDS = (1, 2, 5, 10, 30, 60)  # Stripe's own waits grow to hours
AT_ONCE = 4


def thin(event: Object) -> Object:
    """The event as a notification without the object itself."""
    obj = event["data"]["object"]
    kind = obj["object"]
    return {
        "id": event["id"],
        "object": "v2.core.event",
        "type": f"v1.{event['type']}",
        "created": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(event["created"])),
        "livemode": event["livemode"],
        "related_object": {"id": obj["id"], "type": kind, "url": f"/v1/{kind.replace('.', '/')}s/{obj['id']}"},
        "context": None,
        "reason": None,
    }


def signed(event: Object, endpoint: Object) -> tuple[bytes, dict[str, str]]:
    shown = thin(event) if endpoint.get("_payload") == "thin" else visible(event)
    body = json.dumps(shown, indent=2).encode()
    header = WebhookSignature.generate_signature_header(body.decode(), endpoint["_secret"])
    return body, {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": header}


class Postman(threading.Thread):
    """Takes what is due from the account's deliveries. Faults: `hold` keeps all back, `drop` loses a share for good,
    `repeat` sends each so many times more, `shuffle` takes them in any order, `delay` waits up to so many seconds."""

    def __init__(self, account: Account) -> None:
        super().__init__(daemon=True, name="postman")
        self.account = account
        self.senders = ThreadPoolExecutor(AT_ONCE)

    def run(self) -> None:
        while True:
            with self.account.news:
                due = self._take_due()
                if not due:
                    self.account.news.wait(0.05 if self.account.deliveries else 1)
            list(self.senders.map(self._send, due))

    def _take_due(self) -> list[Object]:
        faults: Object = self.account.faults.get("webhooks", {})
        if faults.get("hold"):
            return []
        now = time.time()
        for each in self.account.deliveries:
            if not each["due"]:
                each["due"] = now + random.uniform(0, faults.get("delay", 0))  # noqa: S311
        due = [each for each in self.account.deliveries if each["due"] <= now]
        self.account.deliveries = [each for each in self.account.deliveries if each["due"] > now]
        due = [each for each in due if random.random() >= faults.get("drop", 0)]  # noqa: S311
        due = due * int(1 + faults.get("repeat", 0))
        if faults.get("shuffle"):
            random.shuffle(due)
        return due

    def _send(self, delivery: Object) -> None:
        event = self.account.objects["event"].get(delivery["event"])
        endpoint = self.account.objects["webhook_endpoint"].get(delivery["endpoint"])
        if event is None or endpoint is None:
            return
        body, headers = signed(event, endpoint)
        try:
            is_taken = httpx2.post(endpoint["url"], content=body, headers=headers, timeout=TIMEOUT_SECONDS).is_success
        except httpx2.HTTPError:
            is_taken = False
        with self.account.lock:
            if is_taken:
                event["pending_webhooks"] = max(event["pending_webhooks"] - 1, 0)
            elif delivery["attempt"] < len(RETRY_SECONDS):
                due = time.time() + RETRY_SECONDS[delivery["attempt"]]
                self.account.deliveries.append({**delivery, "attempt": delivery["attempt"] + 1, "due": due})
            self.account.is_dirty = True


def deliver_now(account: Account, event_id: str, *, endpoint_id: str = "", **changes: Any) -> list[int]:
    """Send one event at once, whatever the faults say; the statuses of the replies."""
    endpoints = [each for each in account.all("webhook_endpoint") if endpoint_id in ("", each["id"])]
    statuses = []
    for endpoint in endpoints:
        body, headers = signed(account.get("event", event_id), endpoint | changes)
        reply = httpx2.post(endpoint["url"], content=body, headers=headers, timeout=TIMEOUT_SECONDS)
        statuses.append(reply.status_code)
    return statuses
