"""Hyperliquid's metadata to instruments. Pure."""

from collections.abc import Iterable, Sequence

from monitor.domain.market import Instrument, InstrumentCatalog, InstrumentKind, InstrumentStatus
from monitor.exchanges.decoding import FieldReader, clean_text
from monitor.exchanges.hyperliquid.names import USDC_INDEX, shown_token, split_coin, split_scale
from monitor.exchanges.hyperliquid.wire import Meta, SpotMeta, SpotToken

VENUE = "hyperliquid"

_PERP_DECIMALS = 6
_SPOT_DECIMALS = 8
"""A price has at most this many decimals less those of the size."""
_PRICE_DIGITS = 5
"""And at most this many significant figures."""


def build_catalog(
    spot: SpotMeta, metas: Sequence[Meta], *, spot_endpoint: str, perp_endpoint: str
) -> InstrumentCatalog:
    """Perpetuals of every dex, delisted ones included, then spot pairs.

    ``metas``: the first dex first. The dex of an asset is the prefix of its name, so the order of the others does not
    matter.

    Raises:
        PayloadError: a name that is none, or decimals that are no small whole number.
    """
    tokens = {token.index: token for token in spot.tokens}
    instruments: dict[str, Instrument] = {}
    for number, meta in enumerate(metas):
        where = "universe[{}].{}" if len(metas) == 1 else f"[{number}].universe[{{}}].{{}}"
        for instrument in _perps(meta, tokens, FieldReader(perp_endpoint, where)):
            instruments[instrument.venue_symbol] = instrument
    taken: set[str] = set()
    for instrument in _spot_pairs(spot, tokens, taken, FieldReader(spot_endpoint, "universe[{}].{}")):
        instruments[instrument.venue_symbol] = instrument
    return InstrumentCatalog(venue=VENUE, instruments=tuple(instruments.values()))


def _perps(meta: Meta, tokens: dict[int, SpotToken], read: FieldReader) -> Iterable[Instrument]:
    index = USDC_INDEX
    if meta.collateral_token is not None:
        index = read.whole(meta.collateral_token, 0, "collateralToken", low=0, high=10**9)
    collateral = _token_name(index, tokens)
    for number, asset in enumerate(meta.universe):
        coin = read.symbol(asset.name, number, "name")
        dex, plain = split_coin(coin)
        base, multiplier = split_scale(plain)
        size_decimals = read.whole(asset.sz_decimals, number, "szDecimals", low=0, high=30)
        yield Instrument(
            venue=VENUE,
            venue_symbol=coin,
            name=f"{coin}-{collateral}-PERP",
            kind=InstrumentKind.PERPETUAL,
            base=base,
            quote=collateral,
            multiplier=multiplier,
            price_decimals=max(0, _PERP_DECIMALS - size_decimals),
            price_digits=_PRICE_DIGITS,
            size_decimals=size_decimals,
            max_leverage=read.whole_or_none(asset.max_leverage, number, "maxLeverage", low=0, high=10_000),
            status=InstrumentStatus.DELISTED if asset.is_delisted else InstrumentStatus.OPEN,
            status_text="delisted" if asset.is_delisted else "",
            dex=dex,
        )


def _spot_pairs(
    spot: SpotMeta, tokens: dict[int, SpotToken], taken: set[str], read: FieldReader
) -> Iterable[Instrument]:
    for number, pair in enumerate(spot.universe):
        symbol = read.symbol(pair.name, number, "name")
        base_index, quote_index = pair.tokens
        base, quote = _token_name(base_index, tokens), _token_name(quote_index, tokens)
        base_token = tokens.get(base_index)
        size_decimals = (
            None if base_token is None else read.whole(base_token.sz_decimals, number, "szDecimals", low=0, high=30)
        )
        name = f"{base}-{quote}"
        if name in taken:
            # Two tokens may be shown under one name; the pair's own number keeps ours unique.
            name = f"{name}@{pair.index}"
        taken.add(name)
        yield Instrument(
            venue=VENUE,
            venue_symbol=symbol,
            name=name,
            kind=InstrumentKind.SPOT,
            base=base,
            quote=quote,
            price_decimals=None if size_decimals is None else max(0, _SPOT_DECIMALS - size_decimals),
            price_digits=_PRICE_DIGITS,
            size_decimals=size_decimals,
        )


def _token_name(index: int, tokens: dict[int, SpotToken]) -> str:
    token = tokens.get(index)
    if token is None:
        return f"#{index}"
    # Anybody may deploy a token under any name.
    return clean_text(shown_token(token.name), 24).replace(" ", "") or f"#{index}"
