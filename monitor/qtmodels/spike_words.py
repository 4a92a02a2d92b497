"""What an outlier is called, what that means, and what can be done about it: for people."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from monitor.state.spikes import (
    MIN_SAMPLES,
    QUEUE_FLOOR_S,
    SPIKE_DEVIATIONS,
    SPIKE_FACTOR,
    SPIKE_FLOOR_S,
    USUAL_WINDOW,
    SpikeCause,
)

SPIKE_DEFINITION: Final = (
    f"an attempt that took at least {SPIKE_FACTOR:g} times the median of the last {USUAL_WINDOW} like it, "
    f"{SPIKE_DEVIATIONS:g} median absolute deviations and {SPIKE_FLOOR_S * 1_000:.0f} ms above it, or waited over "
    f"{QUEUE_FLOOR_S * 1_000:.0f} ms longer than nine in ten of them before it was sent (not of an account, which lets "
    f"prices go first); judged from {MIN_SAMPLES} such attempts on. Named is what was most in excess over its own "
    "median. Failed attempts are none"
)
CAUSE_WORDS: Final[Mapping[SpikeCause, str]] = MappingProxyType(
    {
        SpikeCause.HANDSHAKE: "connecting",
        SpikeCause.DNS: "DNS",
        SpikeCause.VENUE: "venue",
        SpikeCause.RATE_LIMIT: "rate limit",
        SpikeCause.POOL_WAIT: "pool slot",
        SpikeCause.CLIENT: "this app",
        SpikeCause.RETRY: "sent again",
        SpikeCause.SEND: "sending",
        SpikeCause.READ: "reading",
    }
)
CAUSE_DEFINITIONS: Final[Mapping[SpikeCause, str]] = MappingProxyType(
    {
        SpikeCause.HANDSHAKE: "a connection had to be opened, or its TCP or TLS handshake took long. Keep-alive in the "
        "pool panel says whether a shorter interval or keeping warm would help",
        SpikeCause.DNS: "looking up the address took long: the resolver of this machine or network",
        SpikeCause.VENUE: "the first byte of the reply was late: the venue, or the way there and back",
        SpikeCause.RATE_LIMIT: "it waited for its turn or for the rate limit before it was sent. Fewer instruments or "
        "longer intervals shorten that; it is in no latency. Accounts let prices go first, which is not counted",
        SpikeCause.POOL_WAIT: "all connections of the pool were in use. The pool panel says how many would do",
        SpikeCause.CLIENT: "the time went between the phases: this app or this machine was busy",
        SpikeCause.RETRY: "the kept connection was dead; the request was sent again on a new one, and nothing was lost "
        "but time",
        SpikeCause.SEND: "writing the request took long: the way to the venue was congested",
        SpikeCause.READ: "the reply came in slowly after its first byte: its size, or the way from the venue",
    }
)


def filter_word(cause: SpikeCause) -> str:
    """What finds attempts with this cause in the request table; ``slow`` finds all outliers."""
    return f"slow:{cause.value}"
