"""The commit that a bundle says it was built from."""

from pathlib import Path

import pytest

from monitor import __version__
from monitor.desktop import build_info


def test_a_bundle_names_its_commit(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "commit.txt"
    file.write_text("0123456789ab+\n", "utf-8")
    monkeypatch.setattr(build_info, "resource_path", lambda name: tmp_path / name)

    assert build_info.commit() == "0123456789ab+"
    assert build_info.version_line() == f"Trading Monitor {__version__} (0123456789ab+)"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_without_a_readable_commit_only_the_version_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "commit.txt").write_bytes(content)
    monkeypatch.setattr(build_info, "resource_path", lambda name: tmp_path / name)

    assert build_info.commit() is None
    assert build_info.version_line() == f"Trading Monitor {__version__}"
