"""The server: authentication, idempotency, routing, faults."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from stripe_server import clocks, legacy, pages, resources  # noqa: F401  (they register the routes)
from stripe_server.account import API_VERSION, Account, Object, new_id
from stripe_server.clockwork import pass_time
from stripe_server.control import control
from stripe_server.errors import ApiError, IdempotencyConflict
from stripe_server.forms import decode_form
from stripe_server.routing import find_route, reply_with
from stripe_server.shapes import check_parameters, problems

TICK_SECONDS = 0.5
MOST_BYTES = 1_000_000


class Dropped(Exception):
    """The connection is to be closed without a reply."""


class StripeServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], account: Account, url: str = "") -> None:
        super().__init__(address, Handler)
        self.account = account
        self.url = url or f"http://{address[0]}:{self.server_port}"
        account.url = self.url

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Callers that hang up are part of the game."""

    def start_clock(self) -> None:
        def tick() -> None:
            while True:
                time.sleep(TICK_SECONDS)
                with self.account.lock:
                    pass_time(self.account)
                self.account.keep()

        threading.Thread(target=tick, daemon=True, name="clock").start()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 65_536
    server: StripeServer

    def log_message(self, format: str, *args: Any) -> None:
        """Silence: what was asked is in the account."""

    def do_GET(self) -> None:
        self._answer("GET")

    def do_POST(self) -> None:
        self._answer("POST")

    def do_DELETE(self) -> None:
        self._answer("DELETE")

    def _answer(self, method: str) -> None:
        parts = urlsplit(self.path)
        length = min(int(self.headers.get("Content-Length") or 0), MOST_BYTES)
        body = self.rfile.read(length).decode(errors="replace")
        try:
            if parts.path.startswith(("/v1/", "/v2/")):
                self._api(method, parts.path, body if method == "POST" else parts.query)
            elif parts.path.startswith("/_"):
                self._json(200, control(self.server.account, parts.path, json.loads(body or "{}")))
            elif parts.path == "/favicon.ico":
                self._send(204, "image/x-icon", b"")
            else:
                form = decode_form(body) if method == "POST" else decode_form(parts.query)
                self._page(*pages.answer(self.server.account, method, parts.path, form))
        except Dropped:
            self.close_connection = True
        except ApiError as error:  # of a page or the control
            self._json(error.status, {"error": error.body})

    # --- The API ---

    def _api(self, method: str, path: str, encoded: str) -> None:
        account = self.server.account
        fault = self._next_fault(method, path)
        if not fault.get("after"):
            self._suffer(fault)
        status, reply = self._reply(account, method, path, encoded)
        if fault.get("after"):
            self._suffer(fault)
        self._json(status, reply)

    def _reply(self, account: Account, method: str, path: str, encoded: str) -> tuple[int, Object]:
        with account.lock:
            try:
                self._authenticate()
                key = self.headers.get("Idempotency-Key", "") if method == "POST" else ""
                asked = hashlib.sha256(f"{method} {path} {encoded}".encode()).hexdigest()
                if kept := account.replies.get(key) if key else None:
                    if kept["asked"] != asked:
                        raise IdempotencyConflict(
                            f"Keys for idempotent requests can only be used with the same parameters they were first "
                            f"used with. Try using a key other than '{key}'."
                        )
                    return kept["status"], kept["reply"]
                account.requests.append({"method": method, "path": path, "key": key})
                status, reply = self._call(account, method, path, encoded)
                if key and status != 400:  # what was refused before it began is not kept
                    account.replies[key] = {"asked": asked, "status": status, "reply": reply}
                return status, reply
            except ApiError as error:
                return error.status, {"error": error.body}

    def _call(self, account: Account, method: str, path: str, encoded: str) -> tuple[int, Object]:
        try:
            route, arguments = find_route(method, path)
            form = decode_form(encoded)
            expand = form.get("expand", [])
            if "Stripe-Version" not in self.headers:
                form = legacy.translate(method, path, form)
            params = check_parameters(route.params, form) if route.params else form
            params.pop("expand", None)
            obj = route.resource(account, params, **arguments)
            reply = reply_with(account, obj, expand if isinstance(expand, list) else [])
        except ApiError as error:
            return error.status, {"error": error.body}
        if wrong := problems(reply):
            return 500, {"error": {"type": "api_error", "message": f"This server's own mistake: {wrong[:5]}"}}
        return 200, reply

    def _authenticate(self) -> None:
        scheme, _, key = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not key.startswith(("sk_test_", "rk_test_")):
            shown = f"{key[:8]}***" if key else ""
            raise ApiError(f"Invalid API Key provided: {shown}", status=401)
        version = self.headers.get("Stripe-Version", API_VERSION)
        if not version[:4].isdigit():
            raise ApiError(f"Invalid Stripe API version: {version}")

    def _next_fault(self, method: str, path: str) -> Object:
        with self.server.account.lock:
            faults: list[Object] = self.server.account.faults.get("api", [])
            for fault in faults:
                if fault.get("method", method) == method and path.startswith(fault.get("path", "/")):
                    fault["times"] = fault.get("times", 1) - 1
                    if fault["times"] == 0:
                        faults.remove(fault)
                    return dict(fault)
        return {}

    def _suffer(self, fault: Object) -> None:
        """`seconds` of waiting, then a `status`, or silence for `drop`."""
        time.sleep(fault.get("seconds", 0))
        if fault.get("drop"):
            raise Dropped
        if "status" in fault:
            error = {"type": "api_error", "message": "An error that a test asked for."}
            self._json(fault["status"], {"error": error})
            raise Dropped

    # --- Replies ---

    def _json(self, status: int, reply: Any) -> None:
        self._send(status, "application/json", json.dumps(reply, indent=2).encode())

    def _page(self, status: int, text: str, location: str = "") -> None:
        self._send(status, "text/html; charset=utf-8", text.encode(), {"Location": location} if location else {})

    def _send(self, status: int, content_type: str, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Request-Id", new_id("req", 14))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
