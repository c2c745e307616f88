from __future__ import annotations


class CatalogueError(Exception):
    """A file that cannot be read as a catalogue; `message` tells the person who sent it what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
