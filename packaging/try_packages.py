"""Install the Linux packages in a fresh system and use them there: ``python packaging/try_packages.py``; root only.

Packs the built bundle (``--made``: takes the packages that are there), makes a minimal system with debootstrap from
this machine's own package sources, installs the .deb with nothing but what it depends on, and starts the program: there
is no Python to fall back on. Then come a display, a keyring and Wayland for the smoke test, users with odd homes, no
network, no session bus, large screens, the portable archive, and removing everything again. A line per step; exit code
1 when one failed. Needs debootstrap, iproute2, desktop-file-utils, appstream and lintian; takes some minutes and 2 GB.
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import bundle_facts as facts
import linux_packages
import package_situations as situations
from package_situations import USER, Fresh
from smoke import SmokeError, run_steps

TEST_TOOLS = ("xvfb", "xauth", "dbus", "gnome-keyring", "weston")
PROGRAMS = ("debootstrap", "ip", "desktop-file-validate", "appstreamcli", "lintian")

# In a mount namespace of the command's own: nothing is left mounted in the tree when it ends.
ENTER = 'mount -t proc proc "$0/proc" && mount -t tmpfs tmpfs "$0/dev/shm" && exec chroot "$0" "$@"'
ENTER_OFFLINE = "ip link set lo up && " + ENTER


def sources() -> tuple[str, str, str]:
    """This system's release name, the address of its packages and their components, as apt knows them.

    Raises:
        SystemExit: apt has no source of this release.
    """
    release = linux_packages.said(["sh", "-c", '. /etc/os-release && echo "$VERSION_CODENAME"'])
    told = linux_packages.said(["apt-get", "indextargets", "--format", "$(CODENAME) $(REPO_URI) $(COMPONENT)"])
    rows = [line.split() for line in told.splitlines()]
    found = [(row[1], row[2]) for row in rows if len(row) == 3 and row[0] == release]
    if not found:
        raise SystemExit(f"apt has no package source of {release}: run apt-get update.")
    address = found[0][0]
    return release, address, ",".join(sorted({component for uri, component in found if uri == address}))


def make_system(root: Path) -> None:
    """Make a minimal system in ``root``, with a user. Blocks for a minute or two; needs the network."""
    release, address, components = sources()
    command = ["debootstrap", "--variant=minbase", f"--components={components}", release, str(root), address]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        raise SystemExit(f"debootstrap did not work:\n{(result.stdout + result.stderr)[-1500:]}")
    linux_packages.said(["chroot", str(root), "useradd", "--create-home", "--shell", "/bin/sh", USER])
    (root / "tmp" / ".X11-unix").mkdir()
    (root / "tmp" / ".X11-unix").chmod(0o1777)


def install(fresh: Fresh, *packages: str) -> str:
    """Install packages and what they depend on; return how much that takes."""
    fresh.as_root("apt-get update -q")
    before = used_bytes(fresh.root)
    script = f"apt-get install -q --yes --no-install-recommends {shlex.join(packages)} && apt-get clean"
    fresh.as_root(f"export DEBIAN_FRONTEND=noninteractive; {script}")
    return f"{(used_bytes(fresh.root) - before) / 1e6:.0f} MB with what it depends on"


def used_bytes(root: Path) -> int:
    """Bytes of all files below ``root``."""
    return sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(root) for name in names)


def smoke_test(fresh: Fresh) -> str:
    """The smoke test of the installed program."""
    command = [sys.executable, str(facts.PACKAGING / "smoke.py"), f"--root={fresh.root}"]
    command += [f"--enter={shlex.join(fresh.enter)}", f"--executable=/usr/bin/{facts.EXECUTABLE}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    print("".join(f"      {line}\n" for line in result.stdout.splitlines()), end="", flush=True)
    if result.returncode or "skip" in result.stdout:
        raise SmokeError(f"exit {result.returncode} {result.stderr[-1000:]}")
    return "passed"


def packages() -> tuple[Path, Path]:
    """The newest .deb and .tar.gz in ``dist``. Raises ``SystemExit``: there are none."""
    found = []
    for pattern in ("*.deb", "*.tar.gz"):
        files = sorted(facts.DIST.glob(pattern), key=lambda file: file.stat().st_mtime)
        if not files:
            raise SystemExit(f"There is no {pattern} in {facts.DIST}: run this without --made.")
        found.append(files[-1])
    return found[0], found[1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Make, install, try, remove; return 1 if a step failed."""
    parser = argparse.ArgumentParser(prog="try_packages.py", description=__doc__.splitlines()[0])
    parser.add_argument("--made", action="store_true", help="take the packages in dist/ instead of making them")
    parser.add_argument("--keep", action="store_true", help="keep the system tree and say where it is")
    options = parser.parse_args(arguments)
    if sys.platform != "linux" or os.geteuid() != 0:
        raise SystemExit("Making a system of its own needs Linux and root.")
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        raise SystemExit(
            f"Not found: {', '.join(missing)}. "
            "apt-get install debootstrap iproute2 desktop-file-utils appstream lintian"
        )
    if options.made:
        linux_packages.check(packages()[0])
    else:
        linux_packages.main()
    deb, archive = packages()
    root = Path(tempfile.mkdtemp(prefix="trading-monitor-system-")) / "root"
    try:
        make_system(root)
        shutil.copy(deb, root / "tmp")
        shutil.copy(archive, root / "tmp")
        fresh = Fresh(
            root=root,
            enter=("unshare", "--mount", "sh", "-c", ENTER, str(root)),
            enter_offline=("unshare", "--mount", "--net", "sh", "-c", ENTER_OFFLINE, str(root)),
        )
        return try_everything(fresh, deb.name, archive.name)
    finally:
        if options.keep:
            print(f"The system is in {root}")
        else:
            shutil.rmtree(root.parent)


def try_everything(fresh: Fresh, deb: str, archive: str) -> int:
    """Run every step, in an order in which the system gets fuller; return 1 if one failed. Blocks for minutes."""
    steps: dict[str, Callable[[], str]] = {
        "install the .deb": lambda: install(fresh, f"/tmp/{deb}"),  # noqa: S108 - in the tree
        "complete without Python": lambda: situations.complete(fresh),
        "display, keyring, Wayland": lambda: install(fresh, *TEST_TOOLS),
        "smoke test": lambda: smoke_test(fresh),
        "odd name": lambda: situations.odd_name(fresh),
        "read-only home": lambda: situations.read_only_home(fresh),
        "dead session bus": lambda: situations.dead_bus(fresh),
        "no network": lambda: situations.no_network(fresh),
        "scale factors": lambda: situations.scales(fresh),
        "portable mode": lambda: situations.portable(fresh, archive),
        "archive's installer": lambda: situations.archive_installer(fresh, archive),
        "purge the .deb": lambda: situations.purge(fresh),
    }
    failures = run_steps(steps)
    print("the packages work" if not failures else f"packages failed: {failures}", flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
