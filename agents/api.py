"""The REST API, called with one key. A refusal becomes words that an agent can act on."""

from __future__ import annotations

import json
from typing import Any

import httpx2
from mcp.server.mcpserver.exceptions import ToolError

# Longer than the product itself waits for a model, so that it is the one to say what happened.
REPLY_SECONDS = 90
CONNECT_SECONDS = 5


class Refusal(ToolError):
    """What the product, or the way to it, answers instead of a result."""

    def __init__(self, code: str, message: str, *, retry_after: str = "", details: object = None) -> None:
        lines = [f"{code}: {message}"]
        if retry_after:
            lines.append(f"retry_after: {retry_after} seconds")
        if details:
            lines.append(f"details: {json.dumps(details, ensure_ascii=False)}")
        super().__init__("\n".join(lines))


class Api:
    def __init__(self, url: str, key: str, *, reply_seconds: float = REPLY_SECONDS) -> None:
        self._client = httpx2.AsyncClient(
            base_url=f"{url.rstrip('/')}/api/v1/",
            headers={"Authorization": f"Bearer {key}"},
            timeout=httpx2.Timeout(reply_seconds, connect=CONNECT_SECONDS),
        )

    async def get(self, path: str, **query: Any) -> Any:
        return await self._ask("GET", path, params=query)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        return await self._ask("POST", path, json=body)

    async def _ask(self, method: str, path: str, **options: Any) -> Any:
        try:
            response = await self._client.request(method, path, **options)
        except httpx2.ReadTimeout as error:
            raise Refusal(
                "timeout",
                "No answer in time. A text may still be written: ask again with the same input and it is served "
                "from there, or shared while it is being written, and paid once.",
            ) from error
        except httpx2.RequestError as error:
            message = f"The server at CONTENTOPT_URL does not answer ({type(error).__name__})."
            raise Refusal("unreachable", message) from error
        body = _json(response)
        if response.is_success and body is not None:
            return body
        raise _refusal(response, body)


def _json(response: httpx2.Response) -> Any:
    try:
        return response.json()
    except ValueError:  # a proxy's page, or not our product
        return None


def _refusal(response: httpx2.Response, body: Any) -> Refusal:
    error = body.get("error") if isinstance(body, dict) else None
    if not isinstance(error, dict) and response.status_code >= 500:
        return Refusal("server_error", f"The server failed ({response.status_code}). Try again later.")
    if not isinstance(error, dict):
        message = f"The server answered {response.status_code}, and not as ContentOpt would. Is CONTENTOPT_URL right?"
        return Refusal("unexpected_reply", message)
    return Refusal(
        str(error.get("code")),
        str(error.get("message")),
        retry_after=response.headers.get("Retry-After", ""),
        details=error.get("details"),
    )
