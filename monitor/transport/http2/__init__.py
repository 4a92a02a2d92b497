"""The second transport: many requests at a time on one HTTP/2 connection, behind the same interface and trace.

An option (the extra ``http2``: httpx and h2), chosen per venue; HTTP/1.1 stays the default. Nothing but
:mod:`monitor.assembly` imports it, and only where a venue is set to it. ``frames`` counts bytes per stream, ``link`` is
one connection with its reader thread, ``session`` the :class:`~monitor.transport.interface.Transport`.
"""
