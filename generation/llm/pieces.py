"""A reply as it comes, piece by piece: what of it is the description, for whoever reads along."""

from __future__ import annotations

import re

_MARKS = re.compile(r"^[\s>#*_`-]+")
_GAPS = re.compile(r"[\s_-]+")
_LABELS = ("seotitle", "metadescription")


class DescriptionPieces:
    """Holds back the beginning of a line until it is no labelled line. After the first of those nothing comes: they
    stand at a reply's end. The check and `generation.llm.replies` read the whole reply; this is for the eye alone.
    """

    def __init__(self) -> None:
        self._line = ""  # what is held back
        self._is_line_clear = False
        self._is_over = False

    def feed(self, piece: str) -> str:
        """What of the text so far can be shown now."""
        shown = []
        for part in piece.splitlines(keepends=True):
            if self._is_over:
                break
            shown.append(self._take(part))
        return "".join(shown)

    def close(self) -> str:
        rest, self._line = ("" if self._is_over else self._line), ""
        return rest

    def _take(self, part: str) -> str:
        if self._is_line_clear:
            self._is_line_clear = not part.endswith("\n")
            return part
        line = self._line + part
        head = _GAPS.sub("", _MARKS.sub("", line)).casefold()
        if head.startswith(_LABELS):
            self._is_over = True
            return ""
        if any(label.startswith(head) for label in _LABELS) and not line.endswith("\n"):
            self._line = line
            return ""
        self._line = ""
        self._is_line_clear = not line.endswith("\n")
        return line
