"""A server on loopback and a pooled session to it; a file that wants others has fixtures of the same names."""

from collections.abc import Iterator

import pytest

from monitor.transport.session import PooledSession
from tests.fakes.pooled import session_to
from tests.fakes.tls_server import LoopbackServer, serving


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    """Speaks TLS."""
    with serving() as running:
        yield running


@pytest.fixture
def session(server: LoopbackServer) -> Iterator[PooledSession]:
    """Closed after the test."""
    made = session_to(server)
    yield made
    made.close()
