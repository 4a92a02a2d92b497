"""From a price point to the request that brought it, from a request to its socket, and back."""

from PySide6.QtCore import QObject

from monitor.state.request_log import RequestLog
from monitor.widgets.toasts import ToastStack
from monitor.widgets.window_panels import WindowPanels

SAME_REPLY_S = 0.02
"""A point is stamped when its reply was whole; the trace ends at the same moment but for this much."""


class CrossLinks(QObject):
    """Connects charts, request table and connection cards."""

    def __init__(
        self,
        *,
        log: RequestLog,
        panels: WindowPanels,
        toasts: ToastStack,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._log = log
        self._requests = panels.requests
        self._requests_dock = panels.docks["requests"]
        self._pools = panels.pools
        self._toasts = toasts
        panels.charts.price_clicked.connect(self.show_reply)
        panels.charts.request_clicked.connect(self.show_request)
        panels.requests.request_chosen.connect(self._on_request_row)
        panels.pools.connection_chosen.connect(self._on_card)
        panels.spikes.requests_wanted.connect(self.show_matching)

    def show_reply(self, venue: str, received_mono_s: float) -> None:
        """Show the request whose reply was whole at ``received_mono_s``."""
        for trace in (*reversed(self._log.items), *reversed(self._log.earlier)):
            if trace.venue == venue and abs(trace.ended_mono_s - received_mono_s) <= SAME_REPLY_S:
                self.show_request(trace.request_id)
                return
        self._tell_gone()

    def show_request(self, request_id: int) -> None:
        """Go to a request in the table."""
        self.raise_requests()
        if not self._requests.select_request(request_id):
            self._tell_gone()

    def show_venue(self, venue: str) -> None:
        """Show the requests of one venue only."""
        self.raise_requests()
        self._requests.show_only((venue,))

    def show_matching(self, words: tuple[str, ...]) -> None:
        """Show the requests that match all of ``words``; tell when none is held any more."""
        self.raise_requests()
        self._requests.show_only(words)
        if not self._requests.proxy.rowCount():
            text = "Those requests are no longer in the table; the tally goes back further. Export holds them."
            self._toasts.notify("requests gone", "info", text)

    def raise_requests(self) -> None:
        """Bring the request table to the front."""
        self._requests_dock.show()
        self._requests_dock.raise_()

    def _tell_gone(self) -> None:
        self._toasts.notify("request gone", "info", "That request is no longer in the table, or is filtered away.")

    def _on_request_row(self, request_id: object, connection_id: int) -> None:
        if connection_id >= 0:
            self._pools.select_connection(connection_id)

    def _on_card(self, connection_id: int) -> None:
        # Only when the user went to the card: a request's row selects it as well, and must not filter itself away.
        if self._pools.cards.hasFocus():
            self.raise_requests()
            self._requests.show_only((f"#{connection_id}",))
