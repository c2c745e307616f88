"""When the vendor takes models away, as far as its SDK knows."""

from __future__ import annotations

import re
import warnings
from datetime import UTC, date, datetime

from anthropic.resources.messages.messages import DEPRECATED_MODELS

# The SDK says it in every call as well, where nobody hears it and strict filters would make a failure of it.
warnings.filterwarnings("ignore", r"The model '.*' is deprecated", DeprecationWarning)


def retires_on(model_id: str) -> date | None:
    """None while nothing is announced; for dates like "November 30th, 2026"."""
    if model_id not in DEPRECATED_MODELS:
        return None
    day = re.sub(r"(?<=\d)(st|nd|rd|th)", "", DEPRECATED_MODELS[model_id])
    return datetime.strptime(day, "%B %d, %Y").replace(tzinfo=UTC).date()
