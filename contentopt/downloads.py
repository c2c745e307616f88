"""Files that are made while they are asked for: whole before the first byte leaves.

One that was sent as it was made could break off half-way and pass for a whole one, and a shop would import that.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable

from django.http import FileResponse

CSV = "text/csv; charset=utf-8"
IN_MEMORY = 1024 * 1024  # bytes; a larger file waits on disk


def attachment(parts: Iterable[bytes | str], filename: str, content_type: str = CSV) -> FileResponse:
    """Its length is stated, so that a transfer that breaks off is noticed as well."""
    with contextlib.ExitStack() as unless_whole:
        file = unless_whole.enter_context(tempfile.SpooledTemporaryFile(IN_MEMORY))
        for part in parts:
            file.write(part.encode() if isinstance(part, str) else part)
        unless_whole.pop_all()  # the response closes it
    file.seek(0)
    response = FileResponse(file, as_attachment=True, filename=filename, content_type=content_type)
    response["Cache-Control"] = "no-store"
    return response
