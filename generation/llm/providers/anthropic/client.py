from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import anthropic

from generation.llm.errors import LlmError
from generation.llm.providers.failures import RAW_ERRORS, status_failure, stream_failure, transport_failure
from generation.llm.providers.http import open_client
from generation.llm.types import Endpoint


@contextmanager
def connected(endpoint: Endpoint) -> Iterator[anthropic.Anthropic]:
    """The SDK's client, with whatever goes wrong under it raised as LlmError."""
    if not endpoint.api_key:
        raise LlmError("auth", "There is no key for this provider.", retryable=False)
    try:
        yield _client(endpoint, os.getpid())
    except anthropic.APIStatusError as error:
        if error.response.is_success:  # said inside a stream
            raise stream_failure(error.body) from None
        raise status_failure(error.status_code, error.response.headers, error.body) from None
    except (anthropic.AnthropicError, *RAW_ERRORS) as error:
        raise transport_failure(error) from None


@lru_cache(maxsize=32)
def _client(endpoint: Endpoint, _pid: int) -> anthropic.Anthropic:
    """One a process: connections must not be shared across a fork."""
    return anthropic.Anthropic(
        api_key=endpoint.api_key,
        base_url=endpoint.base_url or None,
        max_retries=0,
        http_client=open_client(),
    )
