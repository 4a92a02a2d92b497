"""The demo exchange: both venues' APIs on loopback HTTPS, with made-up prices and accounts that behave like real ones.

Runs in a process of its own (`python -m monitor.simulator`, `trading-monitor simulate`), in one event loop, and imports
nothing else of this package, so that a mistake in a client cannot hide in the server.

    options, runner                  command line, start and end of the process
    server -> listener -> connection sockets, TLS, distance, limits, exact counts; faults, damage; control door
    bitunix, hyperliquid             routes, validation and refusals of each venue; *_data, *_contexts, *_meta: the rows
    demo_accounts, scripts           who has an account, with published credentials, and what each of them does
    holdings -> playing -> tape      accounts as a pure function of (seed, account, time), filled at the demo's prices
    *_account, *_private, *_people   the account side of each venue: signatures, addresses, shapes
    world -> market                  the newest state of all markets; candles, books, rates
    noise -> latent -> paths         prices as a pure function of (seed, market, time)

Where it only approximates:
- The kernel finishes the TCP handshake by itself, so the round trip of a connect shows up in the TLS handshake (or,
  with plain HTTP, in the first request): a cold request costs three (two) round trips in all, its TCP phase near none.
- Hyperliquid's behaviour without a recording is chosen: candles without trades are filled, weeks start on Monday,
  candles and trades of an unknown coin are answered with 500 and null, the weight window slides.
- Accounts: every Monday 00:00 UTC nothing is held and the money is back where it was; liquidations come much faster
  than anybody would trade, so that they can be seen; only the lowest margin tier; cross positions are never liquidated;
  fees of spot buys are told in the token and taken in dollars. What Bitunix does not document is chosen: 30 s of
  tolerance for a time stamp, 10003 for an unknown key.
"""
