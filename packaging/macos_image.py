"""Make the macOS disk image of the built app: ``python packaging/macos_image.py``; runs on macOS only.

Writes ``dist/trading-monitor-<version>-macos-<machine>.dmg``. With ``TRADING_MONITOR_CODESIGN_IDENTITY`` the app, which
the build signed for the hardened runtime with the same identity, is checked and the image is signed; with
``TRADING_MONITOR_NOTARY_PROFILE`` (stored by ``notarytool store-credentials``) the image is notarised and stapled as
well. Without them the image is made all the same, and macOS asks before the first start.
"""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import bundle_facts as facts


def main() -> int:
    """Make, sign and notarise the image; return the exit code."""
    if platform.system() != "Darwin":
        raise SystemExit("A disk image is made on macOS.")
    app = facts.bundle_folder("darwin")
    facts.require(app, facts.ENTITLEMENTS)
    folder = facts.BUILD / "dmg"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # ditto keeps the links and attributes that the signature covers.
    run(["ditto", str(app), str(folder / app.name)])
    (folder / "Applications").symlink_to("/Applications")
    for command in commands(app, folder, image_file(platform.machine()), os.environ):
        run(command)
    return 0


def image_file(machine: str) -> Path:
    """The image's name: one per processor, as numpy has no universal wheels."""
    return facts.DIST / f"{facts.EXECUTABLE}-{facts.VERSION}-macos-{machine}.dmg"


def commands(app: Path, folder: Path, image: Path, environment: Mapping[str, str]) -> list[list[str]]:
    """What is run, in order; what needs a secret only where there is one."""
    identity = environment.get("TRADING_MONITOR_CODESIGN_IDENTITY", "")
    profile = environment.get("TRADING_MONITOR_NOTARY_PROFILE", "")
    steps: list[list[str]] = []
    if identity:
        steps.append(["codesign", "--verify", "--deep", "--strict", "--verbose=2", str(app)])
    steps.append(
        [
            "hdiutil",
            "create",
            "-volname",
            facts.APP_NAME,
            "-srcfolder",
            str(folder),
            "-ov",
            "-format",
            "UDZO",
            str(image),
        ]
    )
    if identity:
        steps.append(["codesign", "--sign", identity, "--timestamp", str(image)])
    if identity and profile:
        steps.append(["xcrun", "notarytool", "submit", str(image), "--keychain-profile", profile, "--wait"])
        steps.append(["xcrun", "stapler", "staple", str(image)])
        steps.append(["spctl", "--assess", "--type", "open", "--context", "context:primary-signature", str(image)])
    return steps


def run(command: list[str]) -> None:
    """Run ``command``. Raises ``SystemExit``: it failed."""
    if subprocess.run(command, cwd=facts.ROOT, check=False).returncode:
        raise SystemExit(f"This did not work: {command[0]} {command[1]}")


if __name__ == "__main__":
    sys.exit(main())
