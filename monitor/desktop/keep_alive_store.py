"""What was learned of how long hosts let sockets idle, kept as JSON in the user's data folder."""

import os
import tempfile
import time
from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path

import msgspec

from monitor.domain.pool_health import KeepAliveFit

FILE_NAME = "keep-alive.json"
SCHEMA = "trading-monitor.keep-alive/1"

MAX_HOSTS = 64
MAX_AGE_S = 30 * 86_400.0
"""After that it is forgotten: we close sockets before the host does, so a host that became patient is not noticed."""

_MAX_FILE_BYTES = 1_000_000


class _Kept(msgspec.Struct, frozen=True):
    saved_at: float
    fit: KeepAliveFit


class _Document(msgspec.Struct, frozen=True):
    schema: str
    hosts: list[_Kept]


def load_fits(file: Path, *, now: float | None = None) -> tuple[KeepAliveFit, ...]:
    """What the file tells, newest first; nothing when there is none. Blocks.

    A file that cannot be understood is renamed to ``keep-alive.corrupt.json`` and nothing is known. ``now``: seconds
    since 1970, default the clock's.
    """
    return tuple(kept.fit for kept in _load(file, time.time() if now is None else now))


def save_fits(file: Path, fits: Iterable[KeepAliveFit], *, now: float | None = None) -> None:
    """Write ``fits`` and keep what the file has of other hosts, so that old or new is there, whole. Blocks.

    Addresses of this computer are left out: their ports mean nothing tomorrow. Raises ``OSError``.
    """
    now = time.time() if now is None else now
    kept = {fit.host: _Kept(now, fit) for fit in fits if fit.samples and not _is_loopback(fit.host)}
    if not kept:
        return
    for known in _load(file, now):
        kept.setdefault(known.fit.host, known)
    newest = sorted(kept.values(), key=lambda one: one.saved_at, reverse=True)[:MAX_HOSTS]
    handle, name = tempfile.mkstemp(prefix=f".{file.name}-", dir=file.parent)
    try:
        with os.fdopen(handle, "wb") as out:
            out.write(msgspec.json.encode(_Document(SCHEMA, newest)))
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _load(file: Path, now: float) -> tuple[_Kept, ...]:
    try:
        with file.open("rb") as opened:
            raw = opened.read(_MAX_FILE_BYTES + 1)
    except OSError:
        return ()
    try:
        document = msgspec.json.decode(raw, type=_Document)
    except (msgspec.DecodeError, ValueError, RecursionError):
        document = None
    if document is None or document.schema != SCHEMA or len(raw) > _MAX_FILE_BYTES:
        try:
            file.replace(file.with_name(f"{file.stem}.corrupt{file.suffix}"))
        except OSError:
            return ()
        return ()
    # A stamp of the future is a clock that was wrong then, or is now.
    return tuple(kept for kept in document.hosts if 0.0 <= now - kept.saved_at <= MAX_AGE_S)


def _is_loopback(host: str) -> bool:
    name = host.rpartition(":")[0].strip("[]")
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost"
