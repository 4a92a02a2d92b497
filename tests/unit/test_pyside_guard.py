"""The installed PySide6 neither takes nor loses references to None and True.

PySide6 6.12.0 releases one reference too many to ``None`` on each Qt call that returns nothing, and to ``True`` on each
emitted signal. On Python 3.11, where both can die, the process aborts after a second of live plots; a short test or an
import shows nothing. From 3.12 on both are immortal and the counts below stand still.
"""

import subprocess
import sys

import pytest

CALLS = 20_000
# A handful of references come and go with the interpreter's own work.
MAX_DRIFT = 500

_SCRIPT = """
import sys
from PySide6.QtCore import QCoreApplication, QObject, QPoint, Signal

class Sender(QObject):
    sent = Signal(int)

class Receiver(QObject):
    count = 0
    def take(self, value):
        self.count += 1

app = QCoreApplication([])
sender, receiver, point = Sender(), Receiver(), QPoint()
sender.sent.connect(receiver.take)
before = sys.getrefcount(None), sys.getrefcount(True)
for number in range({calls}):
    {call}
after = sys.getrefcount(None), sys.getrefcount(True)
print(after[0] - before[0], after[1] - before[1], receiver.count)
"""


@pytest.mark.parametrize(
    ("call", "received"),
    [
        pytest.param("point.setX(number)", 0, id="value-type"),
        pytest.param("sender.setObjectName('a')", 0, id="object"),
        pytest.param("sender.sent.emit(number)", CALLS, id="signal"),
    ],
)
def test_qt_calls_keep_the_references_of_none_and_true(call: str, received: int) -> None:
    result = subprocess.run(
        [sys.executable, "-c", _SCRIPT.format(calls=CALLS, call=call)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert result.returncode == 0, f"PySide6 aborted the process:\n{result.stderr[-1500:]}"
    none_drift, true_drift, count = (int(part) for part in result.stdout.split())
    assert count == received
    assert abs(none_drift) < MAX_DRIFT
    assert abs(true_drift) < MAX_DRIFT
