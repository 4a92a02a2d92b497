"""The margin wallets of a Bitunix account: the first one at every poll, the others by and by."""

from collections.abc import Callable, Collection

from msgspec.structs import replace

from monitor.domain.account import AccountSummary
from monitor.domain.credentials import AccountRef
from monitor.domain.errors import BudgetExhausted, CredentialsRefused, RateLimited, VenueError
from monitor.exchanges.asking import Asking
from monitor.exchanges.bitunix import account_parse as parse
from monitor.exchanges.bitunix.private import PrivateSession
from monitor.transport.interface import Endpoint

FIRST_COIN = "USDT"
OTHER_COINS = ("USDC", "BTC", "ETH")
OTHER_EVERY_POLLS = 12
"""One of the others is looked at every minute."""


class WalletReader:
    """Reads wallets and remembers the other ones. ``clock`` is monotonic. Thread: any; what is remembered is replaced
    as a whole."""

    def __init__(
        self, session: PrivateSession, account: AccountRef, endpoint: Endpoint, clock: Callable[[], float]
    ) -> None:
        self._session = session
        self._account = account
        self._endpoint = endpoint
        self._clock = clock
        self._polls = 0
        self._next_other = 0
        self._others: dict[str, tuple[AccountSummary, float]] = {}
        self._refused: frozenset[str] = frozenset()

    def read(self, asking: Asking, busy: Collection[str], *, is_every: bool) -> AccountSummary:
        """Every wallet, or the first and those in use, read now; ``busy`` are the other coins that positions use."""
        coins = [coin for coin in OTHER_COINS if coin in busy or (is_every and coin not in self._refused)]
        return self._read(asking, busy, coins)

    def poll(self, asking: Asking, busy: Collection[str]) -> AccountSummary:
        """The first wallet and those in use read now, and every twelfth time one of the others."""
        coins = [coin for coin in OTHER_COINS if coin in busy]
        rest = [coin for coin in OTHER_COINS if coin not in busy and coin not in self._refused]
        if rest and self._polls % OTHER_EVERY_POLLS == 0:
            coins.append(rest[self._next_other % len(rest)])
            self._next_other += 1
        self._polls += 1
        return self._read(asking, busy, coins)

    def _read(self, asking: Asking, busy: Collection[str], coins: Collection[str]) -> AccountSummary:
        summary = self._wallet(asking, FIRST_COIN)
        for coin in coins:
            asked_mono_s = self._clock()
            try:
                wallet = self._wallet(asking, coin)
            except (RateLimited, CredentialsRefused):
                raise
            except BudgetExhausted:
                break
            except VenueError as error:
                if coin in busy or error.is_retryable:
                    raise
                # Not every account has every wallet.
                self._refused |= {coin}
                continue
            self._others = {**self._others, coin: (wallet, asked_mono_s)}
        oldest_mono_s: float | None = None
        for coin, (wallet, asked_mono_s) in sorted(self._others.items()):
            if coin in busy or wallet.wallet_balance or wallet.problems:
                summary = parse.with_other_wallet(summary, wallet)
                oldest_mono_s = asked_mono_s if oldest_mono_s is None else min(oldest_mono_s, asked_mono_s)
        return replace(summary, oldest_part_mono_s=oldest_mono_s)

    def _wallet(self, asking: Asking, coin: str) -> AccountSummary:
        data = self._session.ask(asking, self._endpoint, {"marginCoin": coin})
        return parse.parse_account(data, self._endpoint.name, self._account, coin)
