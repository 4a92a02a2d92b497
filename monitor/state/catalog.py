"""Every known instrument: search, and the same market on another venue."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from monitor.domain.market import Instrument, InstrumentCatalog, InstrumentKind, InstrumentStatus

InstrumentKey = tuple[str, str]
"""(venue, venue symbol)."""

_SEPARATORS = str.maketrans("", "", "-_/ ")


class _Entry(msgspec.Struct, frozen=True):
    instrument: Instrument
    symbol: str
    name: str
    base: str
    order: tuple[bool, bool, int, str]


class Catalog:
    """Instruments of all venues. Thread: the board's.

    An instrument that a newer list of its venue does not have stays readable by its key (it may be on screen), but is
    no longer found.
    """

    def __init__(self, venues: Sequence[str]) -> None:
        self._venues = tuple(venues)
        self._all: dict[InstrumentKey, Instrument] = {}
        self._listed: dict[str, dict[str, Instrument]] = {}
        self._entries: dict[str, list[_Entry]] = {}
        self._markets: dict[tuple[str, str], list[Instrument]] = {}

    @property
    def instruments(self) -> Mapping[InstrumentKey, Instrument]:
        """Everything ever listed since start, by key."""
        return MappingProxyType(self._all)

    def is_known(self, venue: str) -> bool:
        """Whether the venue's list has arrived."""
        return venue in self._listed

    def is_listed(self, venue: str, venue_symbol: str) -> bool:
        """Whether the venue's newest list has this symbol."""
        return venue_symbol in self._listed.get(venue, ())

    def replace(self, catalog: InstrumentCatalog) -> tuple[frozenset[str], frozenset[str]]:
        """Take a venue's list in; the symbols that left it and those that are new (all of them the first time)."""
        before = self._listed.get(catalog.venue, {}).keys()
        listed = {instrument.venue_symbol: instrument for instrument in catalog.instruments}
        self._listed[catalog.venue] = listed
        self._all.update(((catalog.venue, symbol), instrument) for symbol, instrument in listed.items())
        self._entries[catalog.venue] = [_entry(instrument) for instrument in listed.values()]
        self._markets.clear()
        for instruments in self._listed.values():
            for instrument in instruments.values():
                self._markets.setdefault(instrument.market, []).append(instrument)
        return frozenset(before - listed.keys()), frozenset(listed.keys() - before)

    def find(self, text: str, *, venue: str | None = None, limit: int = 50) -> list[Instrument]:
        """Instruments that match ``text``, best first.

        An exact symbol or name comes before a name that begins with the text, then an exact base asset, then the text
        anywhere; several words must all occur. Case and the signs ``-_/`` do not count. Within a rank: tradable
        first, perpetuals first, shorter names first. Empty text finds everything in that order.
        """
        words = [word for word in (part.translate(_SEPARATORS) for part in text.casefold().split()) if word]
        whole = "".join(words)
        found: list[tuple[int, tuple[bool, bool, int, str], int, Instrument]] = []
        for number, name in enumerate(self._venues):
            if venue is not None and name != venue:
                continue
            for entry in self._entries.get(name, ()):
                rank = _rank(entry, whole, words)
                if rank is not None:
                    found.append((rank, entry.order, number, entry.instrument))
        found.sort(key=lambda match: match[:3])
        return [instrument for _, _, _, instrument in found[:limit]]

    def resolve(self, venue: str, text: str) -> Instrument | None:
        """The instrument of ``venue`` with exactly this name or symbol of the venue, whatever the case."""
        instruments = self._listed.get(venue, {})
        if text in instruments:
            return instruments[text]
        wanted = text.casefold()
        same = (one for one in instruments.values() if wanted in (one.name.casefold(), one.venue_symbol.casefold()))
        return next(same, None)

    def counterpart(self, key: InstrumentKey) -> InstrumentKey | None:
        """The same market (kind and base asset) on another venue; ``None`` where there is none.

        Of several the tradable one, of the main dex, with the same quote asset is preferred.
        """
        instrument = self._all.get(key)
        if instrument is None:
            return None
        others = [one for one in self._markets.get(instrument.market, ()) if one.venue != instrument.venue]
        if not others:
            return None
        best = min(
            others,
            key=lambda one: (
                one.status is not InstrumentStatus.OPEN,
                self._venues.index(one.venue) if one.venue in self._venues else len(self._venues),
                one.dex != "",
                one.quote != instrument.quote,
            ),
        )
        return (best.venue, best.venue_symbol)


def _entry(instrument: Instrument) -> _Entry:
    name = instrument.name.casefold().translate(_SEPARATORS)
    return _Entry(
        instrument=instrument,
        symbol=instrument.venue_symbol.casefold().translate(_SEPARATORS),
        name=name,
        base=instrument.base.casefold(),
        order=(
            instrument.status is not InstrumentStatus.OPEN,
            instrument.kind is not InstrumentKind.PERPETUAL,
            len(name),
            name,
        ),
    )


def _rank(entry: _Entry, whole: str, words: Iterable[str]) -> int | None:
    if whole in (entry.symbol, entry.name):
        return 0
    if entry.name.startswith(whole):
        # BTC is what BTC-USDT-PERP begins with as much as BTCDOM-USDT-PERP does, and the former is meant.
        return 1
    if entry.base == whole:
        return 2
    if all(word in entry.name or word in entry.symbol for word in words):
        return 3
    return None
