"""What ``POST /info`` is asked for, and what each kind of question weighs."""

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from monitor.transport.interface import Endpoint

PATH = "/info"


class InfoKind(msgspec.Struct, frozen=True, kw_only=True):
    """One ``type`` of question.

    ``weight`` is charged before it is sent; ``rows_per_weight`` rows of the reply cost 1 more, ``None``: rows are free.
    """

    endpoint: Endpoint
    weight: int
    rows_per_weight: int | None = None

    def surcharge(self, rows: int) -> int:
        """What ``rows`` cost on top. The venue does not say how it rounds; a part counts as a whole."""
        return 0 if self.rows_per_weight is None else -(-rows // self.rows_per_weight)


def _kind(name: str, weight: int, rows_per_weight: int | None = None) -> tuple[str, InfoKind]:
    endpoint = Endpoint(name=f"hyperliquid.{name}", method="POST", path=PATH)
    return name, InfoKind(endpoint=endpoint, weight=weight, rows_per_weight=rows_per_weight)


INFO: Mapping[str, InfoKind] = MappingProxyType(
    dict(
        [
            _kind("allMids", 2),
            _kind("l2Book", 2),
            _kind("exchangeStatus", 2),
            _kind("meta", 20),
            _kind("allPerpMetas", 20),
            _kind("metaAndAssetCtxs", 20),
            _kind("spotMeta", 20),
            _kind("spotMetaAndAssetCtxs", 20),
            _kind("perpDexs", 20),
            _kind("predictedFundings", 20),
            _kind("candleSnapshot", 20, rows_per_weight=60),
            _kind("fundingHistory", 20, rows_per_weight=20),
            _kind("recentTrades", 20, rows_per_weight=20),
        ]
    )
)
"""By the ``type`` of the request."""
