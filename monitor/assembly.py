"""From settings to one transport and one client per venue: the part of the composition that needs no window."""

import ipaddress
import logging
import ssl
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from msgspec import structs

from monitor.desktop.settings import Settings
from monitor.domain.credentials import CredentialError, CredentialInputError, CredentialProblem, Credentials
from monitor.domain.market import Instrument
from monitor.exchanges.accounts import AccountClient
from monitor.exchanges.base import ExchangeClient, Focus
from monitor.exchanges.registry import VENUES, VenueEntry
from monitor.polling.plan import PollPlan, merge_jobs
from monitor.state.catalog import InstrumentKey
from monitor.transport.alpn import ProtocolProbe
from monitor.transport.budget import WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.interface import TendedTransport, Transport
from monitor.transport.naive import NaiveTransport
from monitor.transport.session import PooledSession
from monitor.transport.tls import make_ssl_context

log = logging.getLogger(__name__)


class AssemblyError(Exception):
    """The settings name something that cannot be used; the text is for the user."""


class VenueRuntime(msgspec.Struct, frozen=True, kw_only=True):
    """One venue, ready to be asked.

    ``make_pooled`` and ``make_naive`` build what *Measure* compares: another session without a connection yet, and the
    client without a pool. Both share the budget of ``transport``; they send nothing, and whoever made one closes it.
    """

    entry: VenueEntry
    base_url: str
    transport: Transport
    client: ExchangeClient
    make_pooled: Callable[[], PooledSession]
    make_naive: Callable[[], NaiveTransport]

    @property
    def is_local(self) -> bool:
        """Whether it is an exchange on this machine, to which nobody has to be polite."""
        host = urlsplit(self.base_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


def check_venues(names: Sequence[str]) -> tuple[str, ...]:
    """Return ``names`` (all venues when empty) or raise ``AssemblyError`` for one that does not exist."""
    for name in names:
        if name not in VENUES:
            raise AssemblyError(f"There is no venue {name!r}; known are {', '.join(VENUES)}.")
    return tuple(dict.fromkeys(names)) or tuple(VENUES)


def assemble(
    names: Sequence[str],
    settings: Settings,
    *,
    base_urls: Mapping[str, str] | None = None,
    ca_file: Path | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, VenueRuntime]:
    """Build the venues ``names``. ``base_urls`` and ``ca_file`` win over the settings.

    Sends nothing, but reads the certificate store (tens of milliseconds): not on the GUI thread.

    Raises:
        AssemblyError: a base URL, proxy or certificate file cannot be used.
    """
    urls = {**settings.base_urls, **(base_urls or {})}
    check_venues(tuple(urls))
    trusted = ca_file if ca_file is not None else (Path(settings.ca_file) if settings.ca_file else None)
    config = TransportConfig(
        pool_connections=settings.pool_connections,
        pool_maxsize=settings.pool_maxsize,
        pool_block=settings.pool_block,
        is_sizing_automatic=settings.pool_sizing == "automatic",
        max_age_s=settings.max_age_s,
        connect_timeout_s=settings.connect_timeout_s,
        read_timeout_s=settings.read_timeout_s,
        deadline_s=settings.deadline_s,
        dns_cache_s=settings.dns_cache_s,
        is_ipv4_only=settings.is_ipv4_only,
        tls_resumption=settings.tls_resumption,
        proxies=settings.proxies or None,
    )
    shared: ssl.SSLContext | None = None
    runtimes: dict[str, VenueRuntime] = {}
    for name in names:
        entry = VENUES[name]
        base_url = urls.get(name, entry.default_base_url)
        try:
            # A context of the operating system's verifier is locked for a whole handshake; Linux's can be shared.
            context = shared if shared is not None and sys.platform == "linux" else make_ssl_context(trusted)
            shared = context
            budget = WeightBudget(structs.replace(entry.budget_rule, cap_fraction=settings.cap_fraction), clock)
            own = replace(config, keep_warm=entry.keep_warm if settings.keep_warm else None)
            make_pooled = partial(
                PooledSession,
                venue=name,
                base_url=base_url,
                allowed=entry.allowed,
                budget=budget,
                config=own,
                ssl_context=context,
            )
            make_watched = partial(_with_probe, make_pooled, trusted)
            make_naive = partial(
                NaiveTransport,
                venue=name,
                base_url=base_url,
                allowed=entry.allowed,
                budget=budget,
                config=config,
                ca_file=trusted,
            )
            transport: Transport | None = None
            if name in settings.http2_venues:
                transport = _over_http2(
                    entry, make_watched, base_url=base_url, budget=budget, config=own, trusted=trusted
                )
            if transport is None:
                transport = make_watched()
        except OSError as exc:
            reason = exc.strerror or "it holds no certificate"
            raise AssemblyError(f"The certificate file {trusted} cannot be used: {reason}.") from exc
        except ValueError as exc:
            raise AssemblyError(f"{entry.title} cannot be reached at the address given: {exc}.") from exc
        runtimes[name] = VenueRuntime(
            entry=entry,
            base_url=base_url,
            transport=transport,
            client=entry.make_client(transport),
            make_pooled=make_pooled,
            make_naive=make_naive,
        )
    return runtimes


def tune(runtimes: Mapping[str, VenueRuntime], settings: Settings) -> None:
    """Take over the settings that a transport in use can follow: pool size and sizing, maximum age, keeping warm."""
    for runtime in runtimes.values():
        if isinstance(runtime.transport, TendedTransport):
            runtime.transport.tune(
                pool_maxsize=settings.pool_maxsize,
                is_sizing_automatic=settings.pool_sizing == "automatic",
                max_age_s=settings.max_age_s,
                keep_warm=runtime.entry.keep_warm if settings.keep_warm else None,
            )


def make_account_client(credentials: Credentials, runtime: VenueRuntime) -> AccountClient:
    """A client of one account around the venue's transport, so that it shares its pool and budget. Sends nothing.

    Raises:
        CredentialError: ``DAMAGED``: what the keyring holds cannot be right.
    """
    # The reads of accounts are not part of a start without any.
    from monitor.exchanges.account_registry import ACCOUNT_VENUES  # noqa: PLC0415 - see above

    try:
        return ACCOUNT_VENUES[credentials.account.venue].make_client(runtime.transport, credentials)
    except (CredentialInputError, KeyError):
        # Without the cause: its frames hold what was stored.
        raise CredentialError(
            "What the keyring holds for this account cannot be right: replace it.", problem=CredentialProblem.DAMAGED
        ) from None


def _with_probe(make_pooled: Callable[..., PooledSession], trusted: Path | None) -> PooledSession:
    """A session that can have its host asked for its protocols; what *Measure* compares with opens nothing besides."""
    return make_pooled(probe=ProtocolProbe(partial(make_ssl_context, trusted)))


def _over_http2(
    entry: VenueEntry,
    make_fallback: Callable[[], PooledSession],
    *,
    base_url: str,
    budget: WeightBudget,
    config: TransportConfig,
    trusted: Path | None,
) -> Transport | None:
    """The other transport, or ``None`` where the way there allows HTTP/1.1 only: a proxy, or no TLS."""
    if config.proxies or not base_url.startswith("https://"):
        log.info("%s: HTTP/2 needs a direct HTTPS connection; HTTP/1.1 is used", entry.title)
        return None
    try:
        from monitor.transport.http2.session import Http2Session  # noqa: PLC0415 - an extra that few have installed
    except ImportError as exc:
        raise AssemblyError(
            f"HTTP/2 for {entry.title} needs the packages httpx and h2: install trading-monitor[http2], "
            "or take the venue off http2_venues in the settings."
        ) from exc
    # Of its own: urllib3 sets what a context offers at each connect, and a shared one would change under our feet.
    context = make_ssl_context(trusted)
    context.set_alpn_protocols(["h2", "http/1.1"])
    return Http2Session(
        venue=entry.name,
        base_url=base_url,
        allowed=entry.allowed,
        budget=budget,
        config=config,
        ssl_context=context,
        make_fallback=make_fallback,
    )


def default_watchlist(settings: Settings, names: Sequence[str]) -> tuple[InstrumentKey, ...]:
    """The user's watchlist, or the venues' own interleaved so that the same market stands together."""
    if settings.watchlist is not None:
        return tuple(key for key in settings.watchlist if key[0] in names)
    lists = [[(name, symbol) for symbol in VENUES[name].default_watchlist] for name in names]
    longest = max((len(one) for one in lists), default=0)
    return tuple(one[place] for place in range(longest) for one in lists if place < len(one))


def make_plan(
    runtimes: Mapping[str, VenueRuntime],
    *,
    epoch: int,
    settings: Settings,
    focus: Mapping[str, InstrumentKey],
    watchlist: Sequence[InstrumentKey],
    interval: str,
    instruments: Mapping[InstrumentKey, Instrument] | None = None,
    accounts: Sequence[AccountClient] = (),
) -> PollPlan:
    """The plan of all ``runtimes``; ``focus`` holds at most one instrument per venue (the same market on each).

    Builder dexes of the watchlist are polled as well, so that every row shown has a price. The ``accounts`` of a venue
    share what one would be polled with, so that more of them do not cost more.
    """
    known = instruments or {}
    groups = []
    for name, runtime in runtimes.items():
        key = focus.get(name)
        dexes = dict.fromkeys(known[one].dex for one in watchlist if one[0] == name and one in known and known[one].dex)
        groups.append(
            runtime.client.poll_jobs(
                Focus(venue_symbol=None if key is None else key[1], interval=interval, dexes=tuple(dexes))
            )
        )
        of_venue = [client for client in accounts if client.account.venue == name]
        groups.extend(client.poll_jobs(sharers=len(of_venue)) for client in of_venue)
    return PollPlan(epoch=epoch, jobs=merge_jobs(groups, cadences_s=settings.cadences_s))
