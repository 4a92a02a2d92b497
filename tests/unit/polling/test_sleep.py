from monitor.polling.sleep import JumpKind, SleepDetector


def test_steady_clocks_and_slewing_say_nothing() -> None:
    detector = SleepDetector()

    # NTP slews by at most 0.5 ms a second, in either direction.
    assert [detector.look(1e9 + step * 1.0005, 50.0 + step) for step in range(1_000)] == [None] * 1_000


def test_a_wall_clock_that_ran_ahead_means_sleep_on_linux_and_macos() -> None:
    detector = SleepDetector()
    detector.look(1e9, 50.0)
    jump = detector.look(1e9 + 3_601.0, 51.0)

    assert jump is not None
    assert jump.kind is JumpKind.ASLEEP
    assert jump.gap_s == 3_601.0
    assert jump.are_prices_stale
    assert detector.look(1e9 + 3_602.0, 52.0) is None


def test_both_clocks_far_ahead_means_sleep_on_windows() -> None:
    detector = SleepDetector()
    detector.look(1e9, 50.0)
    jump = detector.look(1e9 + 3_600.0, 3_650.0)

    assert jump is not None
    assert jump.kind is JumpKind.ASLEEP


def test_a_busy_second_or_two_is_not_sleep() -> None:
    detector = SleepDetector()
    detector.look(1e9, 50.0)

    assert detector.look(1e9 + 4.0, 54.0) is None


def test_a_clock_set_back_leaves_the_prices_alone() -> None:
    detector = SleepDetector()
    detector.look(1e9, 50.0)
    jump = detector.look(1e9 - 7_199.0, 51.0)

    assert jump is not None
    assert jump.kind is JumpKind.CLOCK_SET_BACK
    assert not jump.are_prices_stale
