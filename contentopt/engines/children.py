"""What a server does between fork and exec: follow its keeper into death, and stop being root."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from contentopt.engines.locks import sign

# linux/prctl.h, linux/securebits.h, linux/capability.h
PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
SECBIT_NO_SETUID_FIXUP = 1 << 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522
NOBODY_ID = 65534

_linux = sys.platform == "linux"
_libc = ctypes.CDLL(None, use_errno=True)
if _linux:
    _libc.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become. `reach` says that it may pass folders that are closed to it."""

    uid: int
    gid: int
    reach: bool = False


def unprivileged_account(data: Path, paths: Iterable[Path]) -> Account | None:
    """Who shall own `data` and run its server when we are root; None when we are not.

    The owner stays who it was at the first start, whatever users have come or gone since.
    """
    if os.geteuid() != 0:
        return None
    reach = not all(_is_open(path) for path in paths)
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid, reach)
    for name in ("postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid, reach)
    return Account(NOBODY_ID, NOBODY_ID, reach)


def child_setup(
    *, death_signal: signal.Signals, account: Account | None = None, lock: int | None = None
) -> Callable[[], None]:
    """For Popen's preexec_fn. The parent has one thread, and this calls no Python that could wait for a lock."""
    parent = os.getpid()

    def setup() -> None:
        if lock is not None:
            sign(lock, os.getpid())
        if account:
            _become(account)
        if _linux:
            # After the change of user, which would clear it.
            _check(_libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0))
            if os.getppid() != parent:
                os._exit(1)

    return setup


def _become(account: Account) -> None:
    reach = account.reach and _linux
    if reach:
        # Keeps the capabilities over the change of user; and access(2), which PostgreSQL asks about its own
        # binaries, would otherwise answer as if they were gone.
        _check(_libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0))
    os.setgroups([])
    os.setgid(account.gid)
    os.setuid(account.uid)
    if reach:
        _keep_only(CAP_DAC_OVERRIDE)


def _keep_only(capability: int) -> None:
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)  # effective, permitted, inheritable; then the upper halves
    _check(_libc.capset(header, sets))
    _check(_libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0))


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def _is_open(path: Path) -> bool:
    """Whether anyone may pass every folder above `path`."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)
