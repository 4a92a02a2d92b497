"""Trading Monitor: how old each price is, why, and whether connection reuse is really working.

Rooms, from the ground up (an arrow may only point down; ``tests/unit/test_architecture.py`` holds it):

    domain      what we talk about: frozen values and errors, no I/O, no clock
    transport   pooled HTTPS sessions, and what each request cost
    desktop     the user's machine: paths, settings, logs
    simulator   the demo exchange; knows none of the other rooms
    exchanges   venue wire formats into domain values
    polling     when to ask, on which thread, and the one hand-over to the GUI
    state       what the screen knows; plain Python, used from one thread
    qtmodels    Qt faces of the state
    widgets     pixels
    crash, app, cli, __main__   last resort, composition root, command line, double click

This module imports nothing, so that a build script can read the version without the app.
"""

APP_NAME = "Trading Monitor"
APP_ID = "io.github.trading_monitor.TradingMonitor"
__version__ = "0.1.0"
