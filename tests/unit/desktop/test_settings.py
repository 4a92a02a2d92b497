import json
import os
from dataclasses import fields, replace
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.desktop.settings import SCHEMA, Settings, SettingsError, load_settings, save_settings
from monitor.domain.alerts import AlertRule

CHANGED = Settings(
    alerts=(AlertRule("price", "bitunix", "BTCUSDT", "above", "90000.5", 300, 60, True),),
    alert_sound=False,
    alert_notices=False,
    are_alerts_muted=True,
    when_closed="tray",
    theme="light",
    price_colors="color_safe",
    start_with="live",
    watchlist=(("bitunix", "BTCUSDT"), ("hyperliquid", "xyz:TSLA")),
    focus=("hyperliquid", "BTC"),
    disabled_venues=("bitunix",),
    time_range_s=3_600,
    chart_kind="candles",
    interval="4h",
    cadences_s=MappingProxyType({"bitunix.tickers": 2.5}),
    cap_fraction=0.1,
    pool_connections=4,
    pool_maxsize=8,
    pool_block=True,
    pool_sizing="automatic",
    prewarm_connections=4,
    keep_warm=True,
    max_age_s=600.0,
    dns_cache_s=0.0,
    is_ipv4_only=True,
    tls_resumption=False,
    http2_venues=("hyperliquid",),
    hides_amounts=True,
    shows_account_lines=False,
    connect_timeout_s=1.0,
    read_timeout_s=2.0,
    deadline_s=5.0,
    proxies=MappingProxyType({"https": "socks5h://name@127.0.0.1:1080"}),
    ca_file="corporate.pem",
    base_urls=MappingProxyType({"bitunix": "http://127.0.0.1:8000"}),
    window_geometry="AdnQywAD",
    window_state="AAAA/w==",
    demo_rtt_ms=120.0,
    demo_seed=7,
)


def _load_text(path: Path, text: str) -> tuple[Settings, tuple[str, ...]]:
    path.write_text(text, encoding="utf-8")
    return load_settings(path)


def test_every_setting_survives_the_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "settings.json"
    for one in fields(Settings):
        assert getattr(CHANGED, one.name) != getattr(Settings(), one.name), f"{one.name} is not covered by CHANGED"
    save_settings(path, CHANGED)

    assert load_settings(path) == (CHANGED, ())
    assert [one.name for one in path.parent.iterdir()] == ["settings.json"]


def test_the_defaults_may_be_saved(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    save_settings(path, Settings())

    assert load_settings(path) == (Settings(), ())


def test_no_file_means_defaults_and_no_complaint(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "settings.json") == (Settings(), ())


def test_unknown_names_and_bad_values_are_reported_and_the_rest_is_used(tmp_path: Path) -> None:
    document = {"schema": SCHEMA, "theme": "pink", "interval": "5m", "pool_maxsize": True, "colour": 1, "focus": ["x"]}
    settings, problems = _load_text(tmp_path / "settings.json", json.dumps(document))

    assert settings == Settings(interval="5m")
    assert len(problems) == 4
    assert any("theme" in problem and "dark, light, system" in problem for problem in problems)
    assert any("colour" in problem and "unknown" in problem for problem in problems)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "{'a': 1}", '{"theme": ' + "[" * 100_000, "9" * 10_000])
def test_a_damaged_file_is_kept_aside(tmp_path: Path, text: str) -> None:
    settings, problems = _load_text(tmp_path / "settings.json", text)

    assert settings == Settings()
    assert len(problems) == 1
    assert "settings.corrupt-1.json" in problems[0]
    assert (tmp_path / "settings.corrupt-1.json").read_text() == text
    assert not (tmp_path / "settings.json").exists()


def test_the_next_damaged_file_does_not_overwrite_the_first(tmp_path: Path) -> None:
    for text in ("first", "second"):
        _load_text(tmp_path / "settings.json", text)

    assert (tmp_path / "settings.corrupt-1.json").read_text() == "first"
    assert (tmp_path / "settings.corrupt-2.json").read_text() == "second"


def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path) -> None:
    settings, problems = load_settings(tmp_path)

    assert settings == Settings()
    assert len(problems) == 1


def test_price_alerts_of_an_earlier_version_are_taken_over(tmp_path: Path) -> None:
    old = {"schema": SCHEMA, "price_alerts": [["bitunix", "BTCUSDT", "below", "80000.50"]]}
    settings, problems = _load_text(tmp_path / "s.json", json.dumps(old))

    assert settings.alerts == (AlertRule("price", "bitunix", "BTCUSDT", "below", "80000.50"),)
    assert problems == ()


@pytest.mark.parametrize(
    "alert",
    [
        [],
        "price",
        ["price", "bitunix", "BTCUSDT", "above"],
        ["price", "bitunix", "", "above", "1"],
        ["down", "bitunix", "BTCUSDT", "above", "15"],
        ["price", "bitunix", "BTCUSDT", "sideways", "1"],
        ["reuse", "bitunix", "", "above", "90"],
        ["reuse", "bitunix", "", "below", "101"],
        ["price", "bitunix", "BTCUSDT", "above", "NaN"],
        ["price", "bitunix", "BTCUSDT", "above", 1],
        ["latency", "bitunix", "", "above", "500", 5],
        ["latency", "bitunix", "", "above", "500", True],
        ["latency", "bitunix", "", "above", "500", 300, 60, 1],
    ],
)
def test_an_alert_that_makes_no_sense_is_reported(tmp_path: Path, alert: object) -> None:
    settings, problems = _load_text(tmp_path / "s.json", json.dumps({"schema": SCHEMA, "alerts": [alert]}))

    assert settings.alerts == ()
    assert len(problems) == 1


@pytest.mark.parametrize(
    "value", ["NaN", "Infinity", "-1", "0", "1e400", "1" + "0" * 400, '"0.3"', "null", "true", "[]", "{}"]
)
def test_a_number_that_makes_no_sense_falls_back(tmp_path: Path, value: str) -> None:
    settings, problems = _load_text(tmp_path / "s.json", f'{{"schema": "{SCHEMA}", "cap_fraction": {value}}}')

    assert settings == Settings()
    assert len(problems) == 1


def test_a_proxy_password_is_neither_read_nor_written(tmp_path: Path) -> None:
    proxies = {"https": "http://name:hunter2@127.0.0.1:3128"}
    settings, problems = _load_text(tmp_path / "s.json", json.dumps({"schema": SCHEMA, "proxies": proxies}))

    assert settings.proxies == {}
    assert len(problems) == 1
    assert "hunter2" not in problems[0]
    path = tmp_path / "t.json"
    with pytest.raises(SettingsError, match="proxies") as caught:
        save_settings(path, replace(Settings(), proxies=MappingProxyType(proxies)))
    assert "hunter2" not in str(caught.value)
    assert not path.exists()


def test_a_failed_save_leaves_the_old_file_and_no_rubbish(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "settings.json"
    save_settings(path, CHANGED)

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save_settings(path, Settings())

    assert [one.name for one in tmp_path.iterdir()] == ["settings.json"]
    assert load_settings(path)[0] == CHANGED


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege on Windows")
def test_a_settings_file_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    link = tmp_path / "settings.json"
    link.symlink_to(tmp_path / "dotfiles" / "real.json")
    save_settings(link, CHANGED)

    assert link.is_symlink()
    assert load_settings(link)[0] == CHANGED


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


@given(document=st.dictionaries(st.sampled_from([one.name for one in fields(Settings)] + ["other"]), _json))
def test_whatever_a_file_says_gives_settings_that_can_be_saved(
    document: dict[str, object], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("settings") / "settings.json"
    settings, problems = _load_text(path, json.dumps({"schema": SCHEMA, **document}))
    save_settings(path, settings)

    assert load_settings(path) == (settings, ())
    assert all(problem.isprintable() for problem in problems)
