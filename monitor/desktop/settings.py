"""What the user has chosen: one frozen value, kept as JSON in the user's configuration folder. Never a secret."""

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from monitor.desktop.setting_checks import (
    Check,
    alert,
    base64_text,
    choice,
    flag,
    instrument,
    items,
    mapping,
    number,
    optional,
    proxy_url,
    text,
    venue_url,
    whole,
)
from monitor.domain.intervals import INTERVALS_S

if TYPE_CHECKING:
    from monitor.domain.alerts import AlertRule

SCHEMA = "trading-monitor.settings/1"

TIME_RANGES_S = (60, 900, 3_600, 21_600, 86_400)
"""Time ranges the plots offer, in seconds."""

_MAX_FILE_BYTES = 1_000_000
_OLD_NAMES = {"price_alerts": "alerts"}
_EMPTY: Mapping[str, str] = MappingProxyType({})


class SettingsError(ValueError):
    """A setting that may not be saved; the text names it and says what was expected."""


def _checked(check: Check) -> dict[str, Check]:
    return {"check": check}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set. Change it with ``dataclasses.replace``; mappings are read-only.

    Names ending in ``_s`` are seconds.
    """

    theme: str = field(default="dark", metadata=_checked(choice("dark", "light", "system")))
    price_colors: str = field(default="green_up", metadata=_checked(choice("green_up", "red_up", "color_safe")))
    start_with: str = field(default="ask", metadata=_checked(choice("ask", "live", "demo")))
    """What a start without arguments shows; ``ask`` until the first start has asked."""

    watchlist: tuple[tuple[str, str], ...] | None = field(default=None, metadata=_checked(optional(items(instrument))))
    """(venue, venue symbol) in the user's order; ``None``: never changed, so the venues' own default lists."""
    focus: tuple[str, str] | None = field(default=None, metadata=_checked(optional(instrument)))
    """The instrument whose chart and book are shown; ``None``: the first of the watchlist."""
    alerts: "tuple[AlertRule, ...]" = field(default=(), metadata=_checked(items(alert)))
    """What the user wants to be told of, in their order."""
    alert_sound: bool = field(default=True, metadata=_checked(flag))
    alert_notices: bool = field(default=True, metadata=_checked(flag))
    """Alerts are shown as notifications of the desktop where there is a tray."""
    are_alerts_muted: bool = field(default=False, metadata=_checked(flag))
    """No alert makes a sound or a notification; the list and the events show them all the same."""
    when_closed: str = field(default="ask", metadata=_checked(choice("ask", "tray", "quit")))
    """What closing the window means where there is a tray; ``ask`` until the user was asked."""
    disabled_venues: tuple[str, ...] = field(default=(), metadata=_checked(items(text)))
    """Venues that are switched off; a venue that is new in a later version is on."""
    time_range_s: int = field(default=900, metadata=_checked(choice(*TIME_RANGES_S)))
    chart_kind: str = field(default="line", metadata=_checked(choice("line", "candles")))
    interval: str = field(default="1m", metadata=_checked(choice(*INTERVALS_S)))
    """Candle interval."""

    cadences_s: Mapping[str, float] = field(
        default_factory=lambda: MappingProxyType({}), metadata=_checked(mapping(number(0.2, 86_400.0)))
    )
    """Seconds between polls by endpoint name (``bitunix.tickers``), where they differ from the default plan."""
    cap_fraction: float = field(default=0.30, metadata=_checked(number(0.01, 1.0)))
    """Part of each venue's documented rate limit that this app allows itself."""

    pool_connections: int = field(default=10, metadata=_checked(whole(1, 100)))
    pool_maxsize: int = field(default=20, metadata=_checked(whole(1, 100)))
    pool_block: bool = field(default=False, metadata=_checked(flag))
    pool_sizing: str = field(default="fixed", metadata=_checked(choice("fixed", "automatic")))
    """``automatic``: the pool's size follows its use within 2 to 32; ``fixed``: ``pool_maxsize``, with advice."""
    prewarm_connections: int = field(default=2, metadata=_checked(whole(0, 8)))
    """Connections opened to each venue ahead of the first request."""
    keep_warm: bool = field(default=False, metadata=_checked(flag))
    """Keep one idle connection a venue from being closed where the poll interval alone would not."""
    max_age_s: float = field(default=1_800.0, metadata=_checked(number(60.0, 86_400.0)))
    """A connection older than this (with jitter) is replaced, so that a venue's new addresses are followed."""
    dns_cache_s: float = field(default=45.0, metadata=_checked(number(0.0, 3_600.0)))
    """How long a looked-up address is used again; 0: never. The last good one serves when asking fails."""
    is_ipv4_only: bool = field(default=False, metadata=_checked(flag))
    tls_resumption: bool = field(default=True, metadata=_checked(flag))
    http2_venues: tuple[str, ...] = field(default=(), metadata=_checked(items(text)))
    """Venues asked over HTTP/2 where that extra is installed; the others over HTTP/1.1."""
    connect_timeout_s: float = field(default=3.1, metadata=_checked(number(0.5, 60.0)))
    read_timeout_s: float = field(default=8.0, metadata=_checked(number(0.5, 120.0)))
    deadline_s: float = field(default=12.0, metadata=_checked(number(1.0, 300.0)))
    """Longest time for one logical request, retries included."""
    proxies: Mapping[str, str] = field(default_factory=lambda: _EMPTY, metadata=_checked(mapping(proxy_url)))
    """Proxy address by URL scheme (``https``), without a password; empty: a direct connection."""
    ca_file: str | None = field(default=None, metadata=_checked(optional(text)))
    """One more certificate authority to trust, as a path."""
    base_urls: Mapping[str, str] = field(default_factory=lambda: _EMPTY, metadata=_checked(mapping(venue_url)))
    """Where a venue is, by its name, if not at its public address."""

    hides_amounts: bool = field(default=False, metadata=_checked(flag))
    """Sizes, balances and profits of accounts are covered, for screen sharing."""
    shows_account_lines: bool = field(default=True, metadata=_checked(flag))
    """Entries, liquidation prices and open orders of the instrument in focus are drawn on its chart."""
    window_geometry: str = field(default="", metadata=_checked(base64_text))
    """Qt's opaque bytes as Base64; empty: never saved."""
    window_state: str = field(default="", metadata=_checked(base64_text))
    """Docks and toolbars, like ``window_geometry``."""

    demo_rtt_ms: float = field(default=60.0, metadata=_checked(number(0.0, 10_000.0)))
    """Simulated round trip of the demo exchange in milliseconds."""
    demo_seed: int | None = field(default=None, metadata=_checked(optional(whole(0, 2**63 - 1))))
    """Seed of the simulated markets; ``None``: another one at every start."""


def load_settings(path: Path) -> tuple[Settings, tuple[str, ...]]:
    """Read settings; what is wrong with them is returned as sentences for the user, and nothing is fatal. Blocks.

    A file that is missing gives the defaults. An unknown name or a bad value is reported and the default used for it. A
    file that is no JSON object at all is kept aside as ``settings.corrupt-N.json``.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return Settings(), ()
    except OSError as error:
        return Settings(), (f"Settings could not be read ({error.strerror or 'unknown reason'}); using the defaults.",)
    document = _decode(raw)
    if document is None:
        return Settings(), (_keep_aside(path),)
    problems: list[str] = []
    schema = document.pop("schema", None)
    if schema != SCHEMA:
        problems.append(f"Settings are of the form {_short(schema)}, not {SCHEMA}; reading what is known.")
    values: dict[str, object] = {}
    known = {one.name: one for one in fields(Settings)}
    for old_name, value in document.items():
        name = _OLD_NAMES.get(old_name, old_name)
        if name not in known:
            problems.append(f"Settings: {_short(name)} is unknown and was not used.")
            continue
        try:
            values[name] = _check_of(known[name])(value)
        except ValueError as error:
            problems.append(f"Settings: {name} is not {error}; using the default.")
    # Every value went through the check of its field, which is what mypy cannot see.
    return Settings(**values), tuple(problems)  # type: ignore[arg-type]


def save_settings(path: Path, settings: Settings) -> None:
    """Write settings so that after a crash either the old or the new file is there, whole. Blocks.

    Raises:
        SettingsError: a value that :func:`load_settings` would refuse, such as a proxy password; nothing was written.
        OSError: the disk is full or the folder cannot be written to; the old file is untouched.
    """
    document: dict[str, object] = {"schema": SCHEMA}
    for one in fields(Settings):
        try:
            value = _check_of(one)(getattr(settings, one.name))
        except ValueError as error:
            raise SettingsError(f"{one.name} is not {error}") from None
        document[one.name] = dict(value) if isinstance(value, Mapping) else value
    # A settings file that is a link into a folder of dotfiles stays one.
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary_name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    temporary = Path(temporary_name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=2, ensure_ascii=False, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _check_of(one: "Field[object]") -> Check:
    check: Check = one.metadata["check"]
    return check


def _decode(raw: bytes) -> dict[str, object] | None:
    """Return the JSON object in ``raw``, ``None`` when there is none."""
    if len(raw) > _MAX_FILE_BYTES:
        return None
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError):
        # ValueError covers bad JSON, bad UTF-8 and whole numbers too long to convert.
        return None
    return document if isinstance(document, dict) else None


def _keep_aside(path: Path) -> str:
    """Rename a file that cannot be read and return the sentence about it."""
    number_tried = 1
    while (aside := path.with_name(f"{path.stem}.corrupt-{number_tried}{path.suffix}")).exists():
        number_tried += 1
    try:
        path.rename(aside)
    except OSError as error:
        reason = error.strerror or "unknown reason"
        return f"The settings file is damaged and could not be kept aside ({reason}); using the defaults."
    return f"The settings file was damaged and is kept as {aside.name}; using the defaults."


def _short(value: object) -> str:
    """A few characters of something a file said, safe to show."""
    shown = str(value)[:40]
    return "".join(character if character.isprintable() else "?" for character in shown)
