import logging
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from monitor.desktop.credential_worker import CredentialTask, CredentialWorker
from monitor.domain.credentials import CredentialError, CredentialProblem
from tests.fakes.fake_clock import FakeClock

PLANTED = "pl4nted-s3cret-0123456789"


@pytest.fixture
def worker() -> Iterator[CredentialWorker]:
    made = CredentialWorker()
    yield made
    assert made.stop(5.0)


def is_idle(worker: CredentialWorker) -> bool:
    return worker.waiting is None


def test_work_runs_in_one_daemon_thread_in_order(worker: CredentialWorker) -> None:
    threads: list[threading.Thread] = []

    def work(number: int) -> int:
        threads.append(threading.current_thread())
        return number

    tasks = [worker.submit("work", partial(work, number)) for number in range(5)]

    assert [task.result(5.0) for task in tasks] == [0, 1, 2, 3, 4]
    assert len(set(threads)) == 1
    assert threads[0].daemon
    assert threads[0] is not threading.current_thread()


def test_no_thread_is_there_before_there_is_work() -> None:
    before = threading.active_count()
    worker = CredentialWorker()

    assert threading.active_count() == before
    assert worker.stop(0.0)


def test_a_wait_is_visible_with_its_label_its_start_and_its_queue() -> None:
    clock = FakeClock()
    worker = CredentialWorker(clock)
    entered, gate = threading.Event(), threading.Event()

    def blocked() -> None:
        entered.set()
        gate.wait(10.0)

    assert is_idle(worker)
    task = worker.submit("reading main", blocked)
    behind = worker.submit("reading other", lambda: None)
    assert entered.wait(5.0)
    waiting = worker.waiting

    assert waiting is not None
    assert (waiting.label, waiting.since_mono_s, waiting.queued) == ("reading main", clock(), 1)
    assert not task.is_done
    gate.set()
    behind.result(5.0)
    assert worker.stop(5.0)
    assert is_idle(worker)


def test_an_outcome_is_told_in_the_workers_thread(worker: CredentialWorker) -> None:
    told: list[tuple[CredentialTask[int], str]] = []
    done = threading.Event()

    def note(task: CredentialTask[int]) -> None:
        told.append((task, threading.current_thread().name))
        done.set()

    task = worker.submit("work", lambda: 7, note)

    assert done.wait(5.0)
    assert told == [(task, "keyring")]
    assert task.result(0.0) == 7


def test_an_error_of_the_store_is_the_outcome(worker: CredentialWorker) -> None:
    def locked() -> None:
        raise CredentialError("The keyring is locked.", problem=CredentialProblem.LOCKED)

    task = worker.submit("work", locked)

    with pytest.raises(CredentialError, match="locked"):
        task.result(5.0)
    assert task.error is not None


def test_a_mistake_of_ours_is_an_outcome_without_its_text(
    worker: CredentialWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise ValueError(PLANTED)

    with caplog.at_level(logging.DEBUG):
        task = worker.submit("adding main", broken)
        with pytest.raises(CredentialError) as caught:
            task.result(5.0)
        assert worker.submit("next", lambda: 1).result(5.0) == 1

    assert caught.value.detail == "ValueError"
    assert "adding main failed with ValueError" in caplog.text
    assert PLANTED not in caplog.text


def test_a_listener_that_fails_does_not_end_the_thread(
    worker: CredentialWorker, caplog: pytest.LogCaptureFixture
) -> None:
    def bad(task: CredentialTask[int]) -> None:
        raise RuntimeError(PLANTED)

    worker.submit("one", lambda: 1, bad)

    assert worker.submit("two", lambda: 2).result(5.0) == 2
    assert "RuntimeError" in caplog.text
    assert PLANTED not in caplog.text


def test_an_abandoned_task_is_never_told_and_never_begun(worker: CredentialWorker) -> None:
    entered, gate = threading.Event(), threading.Event()
    told: list[object] = []
    ran: list[str] = []

    def blocked() -> None:
        entered.set()
        gate.wait(10.0)

    running = worker.submit("running", blocked, told.append)
    queued = worker.submit("queued", lambda: ran.append("queued"), told.append)
    assert entered.wait(5.0)
    running.abandon()
    queued.abandon()
    gate.set()
    worker.submit("last", lambda: None).result(5.0)

    assert told == []
    assert ran == []


def test_the_typed_text_is_not_kept_with_the_task(worker: CredentialWorker) -> None:
    typed = [PLANTED]
    task = worker.submit("work", lambda: len(typed))
    task.result(5.0)

    assert not hasattr(task, "_work")


@pytest.mark.allow_threads  # the blocked thread is what is tested; it ends with its gate
def test_stopping_does_not_wait_for_a_dialog_nobody_answers() -> None:
    entered, gate = threading.Event(), threading.Event()
    worker = CredentialWorker()

    def blocked() -> None:
        entered.set()
        gate.wait(10.0)

    worker.submit("blocked", blocked)
    never = worker.submit("never", lambda: None)
    assert entered.wait(5.0)

    assert not worker.stop(0.01)
    with pytest.raises(RuntimeError):
        worker.submit("late", lambda: None)
    with pytest.raises(TimeoutError):
        never.result(0.01)
    gate.set()
    assert worker.stop(5.0)
