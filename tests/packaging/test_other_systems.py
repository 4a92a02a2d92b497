"""What is shipped for systems that this one cannot run: names that fit together, documents that can be read."""

import plistlib
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
SCRIPTS = ("windows_installer", "macos_image", "bundle_facts", "bundle_contents", "build", "build_venv")


@pytest.fixture(autouse=True)
def scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(PACKAGING))
    yield
    for name in SCRIPTS:
        sys.modules.pop(name, None)


def windows_installer() -> ModuleType:
    import windows_installer as module  # noqa: PLC0415 - a script of packaging/, on the path in these tests only

    return module


def macos_image() -> ModuleType:
    import macos_image as module  # noqa: PLC0415 - as above

    return module


def installer_sections() -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {"": []}
    lines = sections[""]
    for line in (PACKAGING / "windows" / "installer.iss").read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\[(\w+)\]", line):
            assert match[1] not in sections
            lines = sections.setdefault(match[1], [])
        elif line and not line.startswith(";"):
            lines.append(line)
    return sections


def test_installer_uses_exactly_the_names_that_are_defined_for_it() -> None:
    text = (PACKAGING / "windows" / "installer.iss").read_text("utf-8")

    assert set(re.findall(r"\{#(\w+)\}", text)) == set(windows_installer().definitions())


def test_installer_sections_are_made_of_keys_and_parameters() -> None:
    sections = installer_sections()

    assert set(sections) == {"", "Setup", "Tasks", "InstallDelete", "Files", "Icons", "Run", "Code"}
    for line in sections["Setup"]:
        assert re.fullmatch(r"[A-Za-z0-9]+=.+", line), line
    for name in ("Tasks", "InstallDelete", "Files", "Icons", "Run"):
        for line in sections[name]:
            assert re.fullmatch(r'(\w+: ("[^"]*"|[\w ]+)(; |$))+', line), line
    assert sections["Code"].count("begin") == sections["Code"].count("end;")


def test_installer_has_one_lasting_identity_and_that_of_the_running_program() -> None:
    sections = installer_sections()
    settings = dict(line.split("=", 1) for line in sections["Setup"])

    assert re.fullmatch(r"\{\{[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}\}", settings["AppId"])
    assert settings["PrivilegesRequired"] == "lowest"
    assert all('AppUserModelID: "{#AppUserModelId}"' in line for line in sections["Icons"])
    from monitor import APP_ID  # noqa: PLC0415 - beside what it is compared with

    assert windows_installer().definitions()["AppUserModelId"] == APP_ID


def test_uninstalling_deletes_nothing_of_the_users_and_says_where_it_is() -> None:
    text = (PACKAGING / "windows" / "installer.iss").read_text("utf-8")

    assert "[UninstallDelete]" not in text
    assert "{userappdata}" in text
    assert "{localappdata}" in text


def test_entitlements_are_a_property_list_with_a_reason_for_each() -> None:
    text = (PACKAGING / "macos" / "entitlements.plist").read_text("utf-8")
    entitlements = plistlib.loads(text.encode())

    assert all(value is True for value in entitlements.values())
    assert all(key.startswith("com.apple.security.") for key in entitlements)
    assert text.count("<!--") == len(entitlements)
    assert "com.apple.security.get-task-allow" not in entitlements  # notarisation refuses it


@pytest.mark.parametrize(
    ("environment", "tools"),
    [
        ({}, ["hdiutil"]),
        ({"TRADING_MONITOR_NOTARY_PROFILE": "release"}, ["hdiutil"]),
        ({"TRADING_MONITOR_CODESIGN_IDENTITY": "Me"}, ["codesign", "hdiutil", "codesign"]),
        (
            {"TRADING_MONITOR_CODESIGN_IDENTITY": "Me", "TRADING_MONITOR_NOTARY_PROFILE": "release"},
            ["codesign", "hdiutil", "codesign", "xcrun", "xcrun", "spctl"],
        ),
    ],
)
def test_image_is_signed_and_notarised_only_with_what_that_takes(
    environment: dict[str, str], tools: list[str], tmp_path: Path
) -> None:
    steps = macos_image().commands(tmp_path / "A.app", tmp_path, tmp_path / "a.dmg", environment)

    assert [step[0] for step in steps] == tools


def test_the_app_asks_for_the_macos_that_its_newest_wheel_does() -> None:
    from bundle_contents import oldest_macos  # noqa: PLC0415 - as above

    qt = "Wheel-Version: 1.0\nTag: cp310-abi3-macosx_13_0_universal2\n"
    numpy = "Wheel-Version: 1.0\nTag: cp311-cp311-macosx_14_0_arm64\n"
    pure = "Wheel-Version: 1.0\nTag: py3-none-any\n"

    assert oldest_macos([qt, pure], "11.0") == "13.0"
    assert oldest_macos([qt, numpy, pure], "10.13") == "14.0"
    assert oldest_macos([pure], "11") == "11.0"


def test_workflows_run_scripts_that_exist() -> None:
    for file in (PACKAGING / "ci" / "github").glob("*.yml"):
        named = re.findall(r"packaging/[\w/]+\.(?:py|ps1)", file.read_text("utf-8"))
        assert named
        assert all((PACKAGING.parent / name).is_file() for name in named), named
