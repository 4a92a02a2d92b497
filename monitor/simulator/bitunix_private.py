"""Bitunix futures, account side: who may ask, and the signed GET endpoints.

    digest = hex(sha256(nonce + timestamp + api-key + query + body)); sign = hex(sha256(digest + secret))

query is every parameter's name and raw value, sorted by name in byte order, with nothing between (the venue's sign
page). Refusals carry the documented code and text. Chosen, because nothing is documented: an unknown key gets 10003,
whose text speaks of an empty one; a stale time stamp gets 10007, as a wrong signature does; the order of the checks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence

from monitor.simulator.bitunix_account import MARGIN_COINS, FuturesAccount, Json, page
from monitor.simulator.bitunix_refusals import MISSING, NO_PERMISSION, PARAMETER, Refused, whole
from monitor.simulator.demo_accounts import BITUNIX_KEYS, BitunixKey
from monitor.simulator.replies import Moment, Request

_NO_KEY = (10003, "api-key can't be empty")
_WRONG_ADDRESS = (10004, "The current ip is not in the apikey ip whitelist")
_WRONG_SIGN = (10007, "Sign signature error")
_NO_ORDER = (20007, "Order not found")
_TEXTS = {20011: "Account is not allowed to trade"}
_MOST_ROWS = 100
_MOST_SYMBOLS = 50

Answer = Callable[[FuturesAccount, Request, Moment], object]


def expected_sign(key: BitunixKey, request: Request) -> str:
    """Return the signature that the request should carry."""
    names = sorted(request.query, key=str.encode)
    query = "".join(name + request.query[name] for name in names)
    head = request.headers.get("nonce", "") + request.headers.get("timestamp", "") + key.key + query
    digest = hashlib.sha256(head.encode() + request.body).hexdigest()
    return hashlib.sha256((digest + key.secret).encode()).hexdigest()


class PrivateReads:
    """The signed endpoints. accounts are by script name; is_known says whether a symbol is known.

    Thread: the event loop.
    """

    def __init__(
        self, accounts: Mapping[str, FuturesAccount], is_known: Callable[[str], bool], *, is_documented: bool = False
    ) -> None:
        self._accounts = accounts
        self._is_known = is_known
        self._is_documented = is_documented
        self._keys = {key.key: key for key in BITUNIX_KEYS}
        self.routes: Mapping[str, Answer] = {
            "account": self._account,
            "account/get_leverage_margin_mode": self._setting,
            "account/position_mode": lambda _, __, ___: {"positionMode": "HEDGE"},
            "account/trading_settings": self._settings,
            "position/get_pending_positions": self._positions,
            "position/get_history_positions": self._past_positions,
            "trade/get_pending_orders": self._open_orders,
            "trade/get_history_orders": self._past_orders,
            "trade/get_history_trades": self._trades,
            "trade/get_order_detail": self._order,
            "tpsl/get_pending_orders": lambda account, request, now: _of_symbol(account.triggers(now.data_ms), request),
        }

    def answer(self, route: str, request: Request, moment: Moment) -> bytes:
        """Return the data of a reply as JSON. Raises Refused."""
        key = self._let_in(request, moment)
        data = self.routes[route](self._accounts[key.script], request, moment)
        return json.dumps(data, separators=(",", ":")).encode()

    def _let_in(self, request: Request, moment: Moment) -> BitunixKey:
        key = self._keys.get(request.headers.get("api-key", ""))
        if key is None:
            raise Refused(*_NO_KEY)
        if moment.is_address_refused or (key.ip_list is not None and request.peer_ip not in key.ip_list):
            raise Refused(*_WRONG_ADDRESS)
        stamp = request.headers.get("timestamp", "")
        if not request.headers.get("nonce") or not (stamp.isascii() and stamp.isdigit() and len(stamp) == 13):
            raise Refused(*_WRONG_SIGN)
        if abs(int(stamp) - moment.stamp_ms) > moment.tolerance_ms:
            raise Refused(*_WRONG_SIGN)
        if not hmac.compare_digest(request.headers.get("sign", "").encode(), expected_sign(key, request).encode()):
            raise Refused(*_WRONG_SIGN)
        if moment.is_permission_refused or not key.may_read:
            raise Refused(*NO_PERMISSION)
        if key.code is not None:
            raise Refused(key.code, _TEXTS[key.code])
        return key

    def _account(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        return account.account(_coin(request), moment.data_ms)

    def _setting(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        del moment
        symbol, coin = self._symbol(request), _coin(request)
        if not symbol:
            raise Refused(*MISSING)
        return account.setting(symbol, coin)

    def _settings(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        del moment
        names = [name for name in request.query.get("symbols", "").upper().split(",") if name]
        if not names or len(names) > _MOST_SYMBOLS:
            raise Refused(*PARAMETER)
        rows = [account.setting(name, "USDT") for name in names if self._is_known(name)]
        return [{**row, "longLeverage": row["leverage"], "shortLeverage": row["leverage"]} for row in rows]

    def _positions(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        rows = account.positions(self._symbol(request), moment.data_ms)
        wanted = request.query.get("positionId", "")
        return [row for row in rows if not wanted or row["positionId"] == wanted]

    def _past_positions(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        rows = _of_symbol(account.past_positions(moment.data_ms), request)
        wanted = request.query.get("positionId", "")
        rows = [row for row in rows if not wanted or row["positionId"] == wanted]
        return self._page("positionList", rows, request, moment, is_text=True)

    def _open_orders(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        rows = _of_symbol(account.open_orders(moment.data_ms), request)
        status = request.query.get("status", "")
        rows = [row for row in rows if not status or str(row["status"]).rstrip("_") == status]
        return self._page("orderList", _of_order(rows, request), request, moment, is_text=True)

    def _past_orders(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        text = request.query.get("queryCanceled", "false")
        if text not in ("true", "false"):
            raise Refused(*PARAMETER)
        rows = _of_symbol(account.past_orders(moment.data_ms, is_cancelled=text == "true"), request)
        return self._page("orderList", _of_order(rows, request), request, moment, is_text=True)

    def _trades(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        rows = _of_order(_of_symbol(account.trades(moment.data_ms), request), request)
        return self._page("tradeList", rows, request, moment, is_text=False)

    def _order(self, account: FuturesAccount, request: Request, moment: Moment) -> object:
        wanted = request.query.get("orderId", "")
        if "symbol" in request.query:  # live, it is refused with one
            raise Refused(*PARAMETER)
        if not wanted:
            raise Refused(*MISSING)
        found = account.order(wanted, moment.data_ms)
        if found is None:
            raise Refused(*_NO_ORDER)
        return found

    def _page(self, name: str, rows: Sequence[Json], request: Request, moment: Moment, *, is_text: bool) -> Json:
        span_ms = (whole(request, "startTime", 0), whole(request, "endTime", moment.data_ms))
        limit = min(_MOST_ROWS, max(1, whole(request, "limit", 10)))
        chosen, count = page(rows, span_ms, whole(request, "skip", 0), limit)
        return {name: chosen, "total": str(count) if is_text and not self._is_documented else count}

    def _symbol(self, request: Request) -> str:
        symbol = request.query.get("symbol", "").upper()
        if symbol and not self._is_known(symbol):
            raise Refused(20001, "Market not exists")
        return symbol


def _coin(request: Request) -> str:
    coin = request.query.get("marginCoin", "")
    if not coin:
        raise Refused(*MISSING)
    if coin not in MARGIN_COINS:
        raise Refused(*PARAMETER)
    return coin


def _of_symbol(rows: Sequence[Json], request: Request) -> list[Json]:
    symbol = request.query.get("symbol", "").upper()
    return [row for row in rows if symbol in ("", row["symbol"])]


def _of_order(rows: Sequence[Json], request: Request) -> list[Json]:
    order, client = request.query.get("orderId", ""), request.query.get("clientId", "")
    return [row for row in rows if order in ("", row["orderId"]) and client in ("", row["clientId"])]
