"""Engine, real clients, real pools and real sockets, put together as the app does it."""

import time
from collections.abc import Callable

from monitor.exchanges.base import ExchangeClient, Focus
from monitor.exchanges.registry import VENUES
from monitor.polling.engine import PollEngine
from monitor.polling.outbox import Outbox
from monitor.polling.plan import PollPlan, merge_jobs
from monitor.polling.results import PollFailure, PollResult, PollSuccess
from monitor.transport.budget import WeightBudget
from monitor.transport.config import TransportConfig
from monitor.transport.session import PooledSession
from monitor.transport.tls import make_ssl_context
from tests.fakes.demo_exchange import DemoServer

PATIENCE_S = 30.0


class Rig:
    """Everything below the state layer, put together as the app does it."""

    def __init__(self, exchange: DemoServer, config: TransportConfig) -> None:
        context = make_ssl_context(exchange.ca_file)
        self.exchange = exchange
        self.outbox = Outbox()
        self.transports: dict[str, PooledSession] = {}
        self.clients: dict[str, ExchangeClient] = {}
        for name, entry in VENUES.items():
            transport = PooledSession(
                venue=name,
                base_url=exchange.venues[name],
                allowed=entry.allowed,
                budget=WeightBudget(entry.budget_rule, time.perf_counter),
                config=config,
                ssl_context=context,
            )
            self.transports[name] = transport
            self.clients[name] = entry.make_client(transport)
        self.engine = PollEngine(outbox=self.outbox, transports=self.transports)
        self.seen: list[PollResult] = []

    def plan(self, epoch: int = 1) -> PollPlan:
        """The default plan with the first instrument of each venue in focus."""
        return PollPlan(
            epoch=epoch,
            jobs=merge_jobs(
                client.poll_jobs(Focus(venue_symbol=VENUES[name].default_watchlist[0]))
                for name, client in self.clients.items()
            ),
        )

    def wait_until(self, is_reached: Callable[[], bool]) -> None:
        """Collect results until ``is_reached``."""
        give_up_s = time.monotonic() + PATIENCE_S
        while not is_reached():
            assert time.monotonic() < give_up_s, [result for result in self.seen if isinstance(result, PollFailure)]
            time.sleep(0.02)
            self.collect()

    def collect(self) -> None:
        items, dropped = self.outbox.drain()
        assert dropped == 0
        self.seen += items

    def successes(self, venue: str) -> list[PollSuccess]:
        return [result for result in self.seen if isinstance(result, PollSuccess) and result.venue == venue]

    def failures(self, venue: str) -> list[PollFailure]:
        return [result for result in self.seen if isinstance(result, PollFailure) and result.venue == venue]

    def close(self) -> None:
        self.exchange.clear_faults()
        assert self.engine.stop(PATIENCE_S) is True
        for transport in self.transports.values():
            transport.close()
