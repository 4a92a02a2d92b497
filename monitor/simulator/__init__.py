"""The demo exchange: both venues' market APIs on loopback HTTPS, with made-up prices that behave like real ones.

Runs in a process of its own (`python -m monitor.simulator`, `trading-monitor simulate`), in one event loop, and imports
nothing else of this package, so that a mistake in a client cannot hide in the server.

    options, runner                  command line, start and end of the process
    server -> listener -> connection sockets, TLS, distance, limits, exact counts; faults, damage; control door
    bitunix, hyperliquid             routes, validation and refusals of each venue; *_data, *_contexts, *_meta: the rows
    world -> market                  the newest state of all markets; candles, books, rates
    noise -> latent -> paths         prices as a pure function of (seed, market, time)

Where it only approximates:
- The kernel finishes the TCP handshake by itself, so the round trip of a connect shows up in the TLS handshake (or,
  with plain HTTP, in the first request): a cold request costs three (two) round trips in all, its TCP phase near none.
- Hyperliquid's behaviour without a recording is chosen: candles without trades are filled, weeks start on Monday,
  candles and trades of an unknown coin are answered with 500 and null, the weight window slides.
"""
