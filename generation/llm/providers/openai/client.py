from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import openai

from generation.llm.errors import LlmError
from generation.llm.providers.failures import RAW_ERRORS, status_failure, stream_failure, transport_failure
from generation.llm.providers.http import open_client
from generation.llm.types import Endpoint


@contextmanager
def connected(endpoint: Endpoint) -> Iterator[openai.OpenAI]:
    """The SDK's client, with whatever goes wrong under it raised as LlmError."""
    if endpoint.needs_key and not endpoint.api_key:
        raise LlmError("auth", "There is no key for this provider.", retryable=False)
    try:
        yield _client(endpoint, os.getpid())
    except openai.APIStatusError as error:
        raise status_failure(error.status_code, error.response.headers, error.body) from None
    except openai.APIError as error:
        raise (stream_failure(error.body) if error.body else transport_failure(error)) from None
    except (openai.OpenAIError, *RAW_ERRORS) as error:
        raise transport_failure(error) from None


# The SDK would send the vendor's own ids from the environment to whatever server it is pointed at.
_NOBODY_ELSES = {"OpenAI-Organization": openai.Omit(), "OpenAI-Project": openai.Omit()}
# Without a key of ours it would send the vendor's. A server that needs none does not look at it.
_NO_KEY = "none"


@lru_cache(maxsize=32)
def _client(endpoint: Endpoint, _pid: int) -> openai.OpenAI:
    """One a process: connections must not be shared across a fork."""
    return openai.OpenAI(
        api_key=endpoint.api_key or _NO_KEY,
        base_url=endpoint.base_url or None,
        max_retries=0,
        default_headers=_NOBODY_ELSES,  # type: ignore[arg-type]
        http_client=open_client(),
    )
