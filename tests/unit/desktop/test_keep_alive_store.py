"""What was learned of hosts comes back, and nothing else does."""

from pathlib import Path

import pytest

from monitor.desktop.keep_alive_store import MAX_AGE_S, MAX_HOSTS, load_fits, save_fits
from monitor.domain.pool_health import IdleBucket, KeepAliveFit


def fit_of(host: str) -> KeepAliveFit:
    return KeepAliveFit(
        host=host,
        buckets=(IdleBucket(idle_from_s=56.0, idle_to_s=68.0, survived=1, dropped=2),),
        longest_survived_s=44.5,
        shortest_dropped_s=60.0,
        retire_after_s=48.0,
    )


def test_comes_back_as_it_was_and_beside_other_hosts(tmp_path: Path) -> None:
    file = tmp_path / "keep-alive.json"
    save_fits(file, [fit_of("a.test:443")], now=100.0)
    save_fits(file, [fit_of("b.test:443")], now=200.0)

    assert load_fits(file, now=300.0) == (fit_of("b.test:443"), fit_of("a.test:443"))
    assert load_fits(file, now=150.0 + MAX_AGE_S) == (fit_of("b.test:443"),)


def test_this_computer_and_hosts_without_a_sample_are_not_kept(tmp_path: Path) -> None:
    file = tmp_path / "keep-alive.json"
    save_fits(file, [fit_of("127.0.0.1:4711"), fit_of("[::1]:1"), KeepAliveFit(host="c.test:443")])

    assert not file.exists()
    assert load_fits(file) == ()


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"schema":"other","hosts":[]}', b"\xff", b"[" * 100_000])
def test_damaged_file_is_kept_aside(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "keep-alive.json"
    file.write_bytes(text)

    assert load_fits(file) == ()
    assert (tmp_path / "keep-alive.corrupt.json").read_bytes() == text
    assert not file.exists()


def test_file_stays_small(tmp_path: Path) -> None:
    file = tmp_path / "keep-alive.json"
    save_fits(file, [fit_of(f"h{number}.test:443") for number in range(200)])

    assert len(load_fits(file)) == MAX_HOSTS
