"""Lock files (flock): who keeps an engine, who uses it, and whether any of its processes is still alive.

The kernel drops a lock when the last copy of its descriptor is closed, so a killed process can not leave one behind.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


def lock_shared(path: Path) -> int:
    """Waits for the lock; the descriptor that holds it is not inherited through exec."""
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def try_lock(path: Path) -> int | None:
    """The exclusive lock's descriptor, or None when somebody has it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def unlock(descriptor: int) -> None:
    os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether somebody has it exclusively; False when there is no such file."""
    if not path.exists():
        return False
    descriptor = _open(path)
    try:
        # Shared, so that two who look at once do not take each other for the owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def sign(descriptor: int, pid: int) -> None:
    """Write down who has the lock; 0 for nobody in particular."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(pid).encode(), 0)


def pid_of(path: Path) -> int:
    """Who signed last, 0 when nobody did; to be believed only while the lock is held."""
    text = path.read_text() if path.exists() else ""
    return int(text) if text.isdigit() else 0


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
