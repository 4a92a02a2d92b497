"""The Linux packages in a fresh system: made, checked, installed, started, removed. Minutes, so only when asked for."""

import os
import shutil
import sys
from pathlib import Path

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"


@pytest.fixture
def _is_asked_for(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if "bundle" not in request.config.getoption("markexpr"):
        pytest.skip("takes minutes: pytest -m bundle")
    monkeypatch.syspath_prepend(str(PACKAGING))
    import bundle_facts  # noqa: PLC0415 - a script of packaging/, on the path in these tests only

    if sys.platform != "linux" or os.geteuid() != 0 or shutil.which("debootstrap") is None:
        pytest.skip("a system of its own needs Linux, root and debootstrap")
    if not bundle_facts.bundle_folder().is_dir():
        pytest.skip("no bundle was built here: packaging/build.py")


@pytest.mark.bundle
@pytest.mark.timeout(3600)
@pytest.mark.usefixtures("_is_asked_for")
def test_packages_work_in_a_fresh_system(capsys: pytest.CaptureFixture[str]) -> None:
    import try_packages  # noqa: PLC0415 - as above

    exit_code = try_packages.main([])

    told = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{told}")
    assert exit_code == 0, told
    assert "FAIL" not in told
    for step in ("complete without Python", "smoke test", "no network", "archive's installer", "purge the .deb"):
        assert f"ok    {step}: " in told
