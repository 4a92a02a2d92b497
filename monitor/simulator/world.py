"""All markets of both demo venues over one set of latent prices."""

from __future__ import annotations

from monitor.simulator.assets import AssetBook, builder_listings, futures_listings, perp_listings, spot_pairs
from monitor.simulator.latent import LatentPaths
from monitor.simulator.market import Market
from monitor.simulator.options import DEFAULT_INSTRUMENTS

BUILDER_DEXES = ("xyz", "flx", "hyna")
_PERPS_PER_CONTRACT = 500 / 800  # the second venue's share when a load test asks for more instruments


class World:
    """The markets. seed and instruments decide everything about them; start_ms only when the server's clock began."""

    def __init__(self, seed: int, instruments: int, start_ms: int) -> None:
        self.seed = seed
        self.start_ms = start_ms
        book = AssetBook(seed)
        futures = futures_listings(book, instruments)
        perps = perp_listings(
            book, max(8, round(instruments * _PERPS_PER_CONTRACT)) if instruments != DEFAULT_INSTRUMENTS else None
        )
        self.pairs = spot_pairs(book)
        builders = {dex: builder_listings(book, dex) for dex in BUILDER_DEXES}
        self.latent = LatentPaths(seed, tuple(book.by_name.values()))
        self.futures = Market(seed, "bitunix", futures, self.latent)
        self.perps = Market(seed, "hyperliquid", perps, self.latent)
        self.spot = Market(seed, "hyperliquid spot", [pair.listing for pair in self.pairs], self.latent)
        self.builders = {dex: Market(seed, dex, rows, self.latent) for dex, rows in builders.items()}

    def warm_up(self) -> None:
        """Compute the state at the start, so that the first client does not wait for years of daily prices."""
        for market in (self.futures, self.perps, self.spot, *self.builders.values()):
            market.tick(self.start_ms)
            market.stats(self.start_ms)
