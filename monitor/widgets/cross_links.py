"""From a price point to the request that brought it, from a request to its socket, and back."""

import re

from PySide6.QtCore import QObject

from monitor.domain.telemetry import RequestTrace
from monitor.state.request_log import RequestLog
from monitor.widgets.toasts import ToastStack
from monitor.widgets.window_panels import WindowPanels

_CONNECTION = re.compile(r"#(\d{1,18})")


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
        self._charts = panels.charts
        self._chosen: RequestTrace | None = None
        self._connection_id: int | None = None
        """Of the filter, while it asks for one connection."""
        panels.charts.price_clicked.connect(self.show_reply)
        panels.charts.request_clicked.connect(self.show_request)
        panels.requests.request_chosen.connect(self._on_request_row)
        panels.requests.filter.textChanged.connect(self._on_filter)
        panels.charts.plots_loaded.connect(self._show_chosen)
        panels.pools.connection_chosen.connect(self._on_card)
        panels.spikes.requests_wanted.connect(self.show_matching)

    def show_reply(self, venue: str, received_mono_s: float) -> None:
        """Show the request whose reply was whole at ``received_mono_s``."""
        trace = self._log.ended_at(venue, received_mono_s)
        if trace is None:
            self._tell_gone()
        else:
            self.show_request(trace.request_id, trace.attempt)

    def show_request(self, request_id: int, attempt: int | None = None) -> None:
        """Go to an attempt of a request in the table, or to its last."""
        self.raise_requests()
        if self._requests.select_request(request_id, attempt):
            return
        if self._requests.model.row_of(request_id, attempt) is not None:
            # What was asked for counts more than what was filtered for before.
            self._requests.show_only(())
        if not self._requests.select_request(request_id, attempt):
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
        self._toasts.notify("request gone", "info", "That request is no longer in the table, or is not of the period.")

    def refresh(self) -> None:
        """Ring what a connection has carried meanwhile; call it once a second."""
        if self._connection_id is not None:
            self._show_chosen()

    def _show_chosen(self) -> None:
        number = self._connection_id
        self._charts.set_chosen(self._chosen, () if number is None else self._log.of_connection(number))

    def _on_request_row(self, trace: RequestTrace | None) -> None:
        self._chosen = trace
        self._show_chosen()
        if trace is not None and trace.connection_id is not None:
            self._pools.select_connection(trace.connection_id)

    def _on_filter(self, text: str) -> None:
        found = _CONNECTION.fullmatch(text.strip())
        self._connection_id = None if found is None else int(found[1])
        self._show_chosen()

    def _on_card(self, connection_id: int) -> None:
        # Only when the user went to the card: a request's row selects it as well, and must not filter itself away.
        if self._pools.cards.hasFocus():
            self.raise_requests()
            self._requests.show_only((f"#{connection_id}",))
