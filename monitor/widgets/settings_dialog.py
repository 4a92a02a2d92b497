"""Settings: looks, polling plan with its cost, connections, network. Nothing is changed until OK."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from urllib.parse import urlsplit

from msgspec import structs
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFileDialog,
    QFormLayout,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QSpinBox,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from monitor.desktop.settings import Settings
from monitor.domain.telemetry import BudgetState
from monitor.exchanges.base import PollJob
from monitor.polling.plan import MIN_CADENCE_S, merge_jobs, plan_costs
from monitor.qtmodels.figures import percent
from monitor.widgets.settings_reuse import ReusePage

_THEMES = (("dark", "Dark"), ("light", "Light"), ("system", "As the system"))
_PRICE_COLORS = (
    ("green_up", "Green up, red down"),
    ("red_up", "Red up, green down"),
    ("color_safe", "Blue up, orange down (colour-safe)"),
)
_CLOSINGS = (("ask", "Ask"), ("tray", "Go on in the tray, where there is one"), ("quit", "Quit"))
_STARTS = (("ask", "Ask"), ("live", "Live public data"), ("demo", "Demo exchange"))

NUMBER_WIDTH_PX = 130


def _choice(pairs: Sequence[tuple[str, str]], current: str, name: str) -> QComboBox:
    box = QComboBox()
    for value, text in pairs:
        box.addItem(text, value)
    box.setCurrentIndex(max(box.findData(current), 0))
    box.setAccessibleName(name)
    return box


def _seconds(value: float, low: float, high: float, name: str) -> QDoubleSpinBox:
    box = QDoubleSpinBox()
    box.setRange(low, high)
    box.setDecimals(1)
    box.setSuffix(" s")
    box.setValue(value)
    box.setMaximumWidth(NUMBER_WIDTH_PX)
    box.setAccessibleName(name)
    return box


def _count(value: int, low: int, high: int, name: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(value)
    box.setMaximumWidth(NUMBER_WIDTH_PX)
    box.setAccessibleName(name)
    return box


def _hint(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("muted", True)
    label.setWordWrap(True)
    return label


class PlanPage(QWidget):
    """How often each endpoint is asked, and what that costs of the venue's rate limit."""

    def __init__(
        self,
        settings: Settings,
        jobs: Sequence[PollJob],
        budgets: Mapping[str, BudgetState],
        venue_title: Callable[[str], str],
    ) -> None:
        super().__init__()
        self._jobs = tuple(jobs)
        self._budgets = dict(budgets)
        self._venue_title = venue_title
        self._defaults = {job.endpoint: job.cadence_s for job in jobs}
        self._kept = {name: s for name, s in settings.cadences_s.items() if name not in self._defaults}
        self._boxes: dict[str, QDoubleSpinBox] = {}
        grid = QGridLayout()
        grid.setColumnStretch(0, 1)
        grid.setHorizontalSpacing(16)
        for row, (endpoint, default_s) in enumerate(self._defaults.items()):
            box = _seconds(settings.cadences_s.get(endpoint, default_s), MIN_CADENCE_S, 86_400.0, f"{endpoint}: every")
            box.setToolTip(f"Default: {default_s:g} s")
            box.valueChanged.connect(self._show_costs)
            grid.addWidget(QLabel(endpoint), row, 0)
            grid.addWidget(box, row, 1)
            self._boxes[endpoint] = box
        grid.setRowStretch(len(self._defaults), 1)
        inside = QWidget()
        inside.setLayout(grid)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setWidget(inside)
        self.cap = _count(round(settings.cap_fraction * 100), 1, 100, "Own cap of the documented limit in per cent")
        self.cap.setSuffix(" %")
        self.cap.valueChanged.connect(self._show_costs)
        form = QFormLayout()
        form.addRow("Use at most", self.cap)
        self.costs = _hint("")
        reset = QPushButton("Default plan")
        reset.clicked.connect(self._on_reset)
        layout = QVBoxLayout(self)
        layout.addWidget(_hint("Limits count per IP address and are shared with your bots: this app keeps to its cap."))
        layout.addLayout(form)
        if self._boxes:
            layout.addWidget(scroll, 1)
        else:
            layout.addWidget(_hint("The endpoints appear here once polling has begun."), 1)
        layout.addWidget(self.costs)
        layout.addWidget(reset, 0, Qt.AlignmentFlag.AlignLeft)
        self._show_costs()

    def cadences_s(self) -> Mapping[str, float]:
        """Cadences that differ from the default plan, and those of endpoints that are not in the plan now."""
        changed = {
            endpoint: round(box.value(), 1)
            for endpoint, box in self._boxes.items()
            if abs(box.value() - self._defaults[endpoint]) > 0.05
        }
        return MappingProxyType({**self._kept, **changed})

    def _show_costs(self) -> None:
        budgets = {
            venue: structs.replace(budget, cap=max(int(budget.limit * self.cap.value() / 100), 1))
            for venue, budget in self._budgets.items()
        }
        lines = []
        for venue, cost in plan_costs(merge_jobs([self._jobs], cadences_s=self.cadences_s()), budgets).items():
            share = percent(cost.weight_per_min / cost.limit_per_min, 1)
            verdict = "within the cap" if cost.is_within_cap else "over the cap: some polls will be missed"
            lines.append(
                f"{self._venue_title(venue)}: {cost.weight_per_min:,.0f} of {cost.limit_per_min:,.0f} a minute "
                f"({share}), {verdict}"
            )
        self.costs.setText("\n".join(lines))

    def _on_reset(self) -> None:
        for endpoint, box in self._boxes.items():
            box.setValue(self._defaults[endpoint])


class SettingsDialog(QDialog):
    """Edits a copy of ``settings``. ``jobs`` is the default plan in use, ``budgets`` where each venue stands."""

    def __init__(
        self,
        settings: Settings,
        *,
        jobs: Sequence[PollJob],
        budgets: Mapping[str, BudgetState],
        venue_title: Callable[[str], str],
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._settings = settings
        self.setWindowTitle("Settings")
        self.resize(560, 520)
        self.plan = PlanPage(settings, jobs, budgets, venue_title)
        self.tabs = QTabWidget()
        self.tabs.addTab(self._looks_page(), "General")
        self.tabs.addTab(self.plan, "Polling")
        self.tabs.addTab(self._pool_page(), "Connections")
        self.reuse = ReusePage(settings, tuple(budgets), venue_title)
        self.tabs.addTab(self.reuse, "Reuse")
        self.tabs.addTab(self._network_page(), "Network")
        self._problem = QLabel()
        self._problem.setObjectName("problem")
        self._problem.setTextFormat(Qt.TextFormat.PlainText)
        self._problem.setWordWrap(True)
        self._problem.hide()
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel)
        self.buttons.accepted.connect(self._on_ok)
        self.buttons.rejected.connect(self.reject)
        layout = QVBoxLayout(self)
        layout.addWidget(self.tabs)
        layout.addWidget(self._problem)
        layout.addWidget(self.buttons)

    def _looks_page(self) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        self.theme = _choice(_THEMES, self._settings.theme, "Theme")
        self.price_colors = _choice(_PRICE_COLORS, self._settings.price_colors, "Colours of rising and falling")
        self.start_with = _choice(_STARTS, self._settings.start_with, "Start with")
        form.addRow("Theme", self.theme)
        form.addRow("Price colours", self.price_colors)
        self.when_closed = _choice(_CLOSINGS, self._settings.when_closed, "When the window is closed")
        self.alert_sound = QCheckBox("Sound")
        self.alert_sound.setChecked(self._settings.alert_sound)
        self.alert_notices = QCheckBox("Notification of the desktop")
        self.alert_notices.setChecked(self._settings.alert_notices)
        self.alert_notices.setToolTip("Shown where the desktop has a tray")
        form.addRow("Start with", self.start_with)
        form.addRow("When closed", self.when_closed)
        form.addRow("Alerts", self.alert_sound)
        form.addRow("", self.alert_notices)
        form.addRow(_hint("A sign or an arrow always stands beside a colour."))
        return page

    def _pool_page(self) -> QWidget:
        settings = self._settings
        page = QWidget()
        form = QFormLayout(page)
        self.pool_connections = _count(settings.pool_connections, 1, 100, "Pools: different hosts kept")
        self.pool_maxsize = _count(settings.pool_maxsize, 1, 100, "Connections kept per host")
        self.pool_block = QCheckBox("Wait for a free connection instead of opening one more")
        self.pool_block.setChecked(settings.pool_block)
        self.connect_timeout = _seconds(settings.connect_timeout_s, 0.5, 60.0, "Connect timeout")
        self.read_timeout = _seconds(settings.read_timeout_s, 0.5, 120.0, "Read timeout")
        self.deadline = _seconds(settings.deadline_s, 1.0, 300.0, "Deadline of a request, retries included")
        form.addRow("Pools (pool_connections)", self.pool_connections)
        form.addRow("Connections per host (pool_maxsize)", self.pool_maxsize)
        form.addRow("", self.pool_block)
        form.addRow("Connect timeout", self.connect_timeout)
        form.addRow("Read timeout", self.read_timeout)
        form.addRow("Deadline", self.deadline)
        form.addRow(_hint("A change opens new pools: the first request to each host is cold again."))
        return page

    def _network_page(self) -> QWidget:
        page = QWidget()
        form = QFormLayout(page)
        self.proxy = QLineEdit(self._settings.proxies.get("https", ""))
        self.proxy.setPlaceholderText("none, or http://proxy.example:3128 or socks5://…")
        self.proxy.setAccessibleName("Proxy for https")
        self.ca_file = QLineEdit(self._settings.ca_file or "")
        self.ca_file.setPlaceholderText("none: the system's authorities only")
        self.ca_file.setAccessibleName("Extra certificate authority file")
        browse = QPushButton("Browse…")
        browse.clicked.connect(self._on_browse)
        ca_row = QHBoxLayout()
        ca_row.addWidget(self.ca_file, 1)
        ca_row.addWidget(browse)
        form.addRow("Proxy", self.proxy)
        form.addRow("Certificate authority", ca_row)
        form.addRow(_hint("Without a user name or password: neither is ever written to the settings file."))
        return page

    def settings(self) -> Settings:
        """The settings as edited."""
        proxy = self.proxy.text().strip()
        proxies = {scheme: url for scheme, url in self._settings.proxies.items() if scheme not in ("http", "https")}
        if proxy:
            proxies.update({"http": proxy, "https": proxy})
        return replace(
            self.reuse.settings(self._settings),
            theme=str(self.theme.currentData()),
            price_colors=str(self.price_colors.currentData()),
            start_with=str(self.start_with.currentData()),
            when_closed=str(self.when_closed.currentData()),
            alert_sound=self.alert_sound.isChecked(),
            alert_notices=self.alert_notices.isChecked(),
            cadences_s=self.plan.cadences_s(),
            cap_fraction=self.plan.cap.value() / 100,
            pool_connections=self.pool_connections.value(),
            pool_maxsize=self.pool_maxsize.value(),
            pool_block=self.pool_block.isChecked(),
            connect_timeout_s=self.connect_timeout.value(),
            read_timeout_s=self.read_timeout.value(),
            deadline_s=self.deadline.value(),
            proxies=MappingProxyType(proxies),
            ca_file=self.ca_file.text().strip() or None,
        )

    def problem(self) -> str | None:
        """Why the settings cannot be taken as they are, with what to do; ``None`` when they can."""
        proxy = self.proxy.text().strip()
        if proxy:
            try:
                parts = urlsplit(proxy)
                is_address = parts.scheme in ("http", "https", "socks5", "socks5h", "socks4") and bool(parts.hostname)
                has_password = parts.username is not None or parts.password is not None
            except ValueError:
                is_address = has_password = False
            if not is_address:
                return "The proxy must look like http://host:port or socks5://host:port."
            if has_password:
                return "Leave user name and password out of the proxy address: settings are a plain file."
        if self.deadline.value() < self.connect_timeout.value():
            return "The deadline must not be shorter than the connect timeout."
        return None

    def _on_ok(self) -> None:
        problem = self.problem()
        if problem is None:
            self.accept()
            return
        self._problem.setText(problem)
        self._problem.show()

    def _on_browse(self) -> None:
        path, _ = QFileDialog.getOpenFileName(self, "Certificate authority", "", "Certificates (*.pem *.crt *.cer)")
        if path:
            self.ca_file.setText(path)
