"""Situations that an installed package is tried in by ``try_packages.py``: homes, networks, screens, removal."""

import re
import shlex
import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path

import bundle_facts as facts
from smoke import Place, SmokeError, said

COMMAND = f"/usr/bin/{facts.EXECUTABLE}"
LIBRARIES = f"/usr/lib/{facts.EXECUTABLE}"
USER = "trader"
SCALES = (1.0, 1.5, 2.0, 3.0)
SIZE = (1280, 720)
SHORT_DEMO = ("--demo", "--duration", "5")
OWN_FOLDERS = tuple(f"{parent}/{facts.EXECUTABLE}" for parent in (".config", ".local/share", ".local/state", ".cache"))

# Bound onto itself, so that not even root could write there; what it is called is the first argument.
READ_ONLY = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


@dataclass(frozen=True, slots=True, kw_only=True)
class Fresh:
    """A system tree with the package installed: ``enter`` runs a command in it as root, offline where that is said."""

    root: Path
    enter: tuple[str, ...]
    enter_offline: tuple[str, ...]

    def as_root(self, script: str) -> str:
        """Run a shell script there and return what it printed. Raises ``SmokeError``: it failed."""
        result = subprocess.run(
            [*self.enter, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-c", script],
            capture_output=True,
            text=True,
            check=False,
        )
        if result.returncode:
            raise SmokeError(said(result))
        return result.stdout

    def home(self, name: str) -> Path:
        """A home folder of that name for the user, as seen from outside; made when it is not there."""
        folder = self.root / "home" / USER / name
        if not folder.exists():
            folder.mkdir()
            self.as_root(f"chown {USER}: {shlex.quote(f'/home/{USER}/{name}')}")
        return folder

    def place(
        self,
        home: Path,
        *,
        executable: str = COMMAND,
        before: tuple[str, ...] = (),
        environment: dict[str, str] | None = None,
        screen: str = "1600x1000",
        is_offline: bool = False,
    ) -> Place:
        """The program as an ordinary user starts it; ``before`` is run first, as root."""
        user = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups")
        return Place(
            executable=executable,
            home=home,
            root=self.root,
            enter=(*(self.enter_offline if is_offline else self.enter), *before, *user),
            environment=environment or {},
            screen=screen,
        )


def complete(fresh: Fresh) -> str:
    """With what the package depends on and nothing else: no Python, every library found, certificates, a window."""
    python = fresh.as_root(
        f"find / -xdev -path {LIBRARIES} -prune -o -name 'python3*' -print -o -name 'libpython*' -print"
    )
    if python:
        raise SmokeError(f"Python is there: {python}")
    files = f"find {LIBRARIES} -type f \\( -name '*.so*' -o -perm -100 \\)"
    told = fresh.as_root(f"{files} | while read -r file; do LD_LIBRARY_PATH={LIBRARIES}/_internal ldd $file 2>&1; done")
    if lost := sorted({line.strip() for line in told.splitlines() if "not found" in line}):
        raise SmokeError("; ".join(lost))
    place = fresh.place(fresh.home("first"), environment={"QT_QPA_PLATFORM": "offscreen"})
    result = place.run("--self-test", has_display=False)
    if result.returncode or "trust store: /" not in result.stdout:
        raise SmokeError(said(result))
    store = next(line for line in result.stdout.splitlines() if "trust store" in line).split(": ", 1)[1]
    return f"no Python, {told.count('=>')} links to libraries resolved, self-test passed offscreen, trusts {store}"


def odd_name(fresh: Fresh) -> str:
    """A user whose name is not ASCII and has spaces, also in a locale that cannot write it."""
    told = []
    for locale in ("C.UTF-8", "C"):
        home = fresh.home(f"Jürgen Ωμέγα 東京 {locale}")
        place = fresh.place(home, environment={"LANG": locale, "LC_ALL": locale})
        result = place.run("--self-test")
        if result.returncode:
            raise SmokeError(f"{locale}: {said(result)}")
        told.append(f"{locale} {result.stdout.count('ok  ')} checks")
        demo(place)
        if not list((home / OWN_FOLDERS[1]).rglob("*.db")):
            raise SmokeError(f"{locale}: no history in {home}")
    return ", ".join(told)


def read_only_home(fresh: Fresh) -> str:
    """A home that cannot be written to: the program works, keeps things elsewhere for this run, and says so."""
    home = fresh.home("fixed")
    place = fresh.place(
        home, before=("unshare", "--mount", "--propagation", "unchanged", "sh", "-c", READ_ONLY, f"/home/{USER}/fixed")
    )
    demo(place)
    result = place.run("--self-test")
    line = next((line for line in result.stdout.splitlines() if "folders:" in line), "")
    if result.returncode != 1 or "cannot be written to" not in line or result.stdout.count("FAIL") != 1:
        raise SmokeError(said(result))
    if list(home.iterdir()):
        raise SmokeError(f"written all the same: {list(home.iterdir())}")
    return line.split(": ", 1)[1]


def dead_bus(fresh: Fresh) -> str:
    """A session bus that does not answer: everything but the keyring works, and that is said."""
    place = fresh.place(fresh.home("bus"), environment={"DBUS_SESSION_BUS_ADDRESS": "unix:path=/run/nobody"})
    result = place.run("--self-test")
    line = next((line for line in result.stdout.splitlines() if "keyring:" in line), "")
    if result.returncode or "not available" not in line:
        raise SmokeError(said(result))
    demo(place)
    return line.split(": ", 1)[1]


def no_network(fresh: Fresh) -> str:
    """No network but the machine itself: the demo works, and live prices are said to be missing and why."""
    place = fresh.place(fresh.home("offline"), is_offline=True)
    demo(place)
    live = place.run("--duration", "6")
    # 1 is what a run of fixed length says when no venue answered.
    if live.returncode != 1 or "no data" not in live.stdout or "Traceback" in live.stdout + live.stderr:
        raise SmokeError(said(live))
    snapshot = place.run("snapshot", "--venue", "bitunix", "--instrument", "BTC-USDT-PERP", has_display=False)
    text = snapshot.stderr.strip()
    if snapshot.returncode != 1 or not text or "Traceback" in text:
        raise SmokeError(said(snapshot))
    return text.splitlines()[-1]


def scales(fresh: Fresh) -> str:
    """Screens of every density: the window has the size that was asked for, times the factor."""
    home = fresh.home("screens")
    for scale in SCALES:
        picture = home / f"{scale}.png"
        place = fresh.place(home, environment={"QT_SCALE_FACTOR": str(scale)}, screen="4000x2300")
        size = f"{SIZE[0]}x{SIZE[1]}"
        result = place.run(*SHORT_DEMO, "--size", size, "--screenshot", place.inside(picture))
        if result.returncode:
            raise SmokeError(f"{scale}: {said(result)}")
        shown = struct.unpack(">II", picture.read_bytes()[16:24])
        if shown != tuple(round(side * scale) for side in SIZE):
            raise SmokeError(f"{scale}: the picture is of {shown}")
    return ", ".join(map(str, SCALES))


def portable(fresh: Fresh, archive: str) -> str:
    """The archive unpacked beside a file named ``portable``: everything is kept there, nothing in the home."""
    home, stick = fresh.home("guest"), fresh.home("USB stick é")
    unpacked = unpack(fresh, archive, stick)
    (unpacked / "portable").touch()
    place = fresh.place(home, executable=f"/{unpacked.relative_to(fresh.root)}/{facts.EXECUTABLE}")
    demo(place)
    kept = sorted(file.name for file in (unpacked / "portable-data").rglob("*") if file.is_file())
    if not kept:
        raise SmokeError("nothing was kept beside the program")
    if strays := ours(home):
        raise SmokeError(f"kept in the home: {strays}")
    return f"{', '.join(kept)} beside it, none in the home"


def archive_installer(fresh: Fresh, archive: str) -> str:
    """``install.sh`` of the archive for one user, the menu entry's own command, and ``--uninstall``."""
    home = fresh.home("Zoë O'Hara $x 5% a\\b")
    unpacked = unpack(fresh, archive, fresh.home("Downloads"))
    place = fresh.place(home)
    script = f"/{unpacked.relative_to(fresh.root)}/install.sh"
    run(place, shlex.join([script]))
    entry = home / ".local/share/applications" / f"{facts.APP_ID}.desktop"
    validated = subprocess.run(["desktop-file-validate", str(entry)], capture_output=True, text=True, check=False)
    if validated.returncode or validated.stdout:
        raise SmokeError(said(validated))
    started = started_by(entry.read_text("utf-8"))
    if facts.VERSION not in run(place, shlex.join([started, "--version"])):
        raise SmokeError(f"the menu entry starts something else: {started}")
    demo(fresh.place(home, executable=started))
    told = run(place, shlex.join([script, "--uninstall"]))
    strays = [name for name in ours(home) if not name.startswith(OWN_FOLDERS)]
    if strays or not (home / OWN_FOLDERS[1]).is_dir():
        raise SmokeError(f"after removal there is {ours(home)}")
    if not all(f"{place.inside(home)}/{folder}" in told for folder in OWN_FOLDERS):
        raise SmokeError(f"it does not say where the user's data is: {told}")
    return f"installed, started, removed; left: {', '.join(sorted({str(Path(name).parent) for name in ours(home)}))}"


def purge(fresh: Fresh) -> str:
    """Purging the package leaves what users keep, says where that is, and leaves nothing else."""
    users = {str(file) for file in (fresh.root / "home").rglob("*")}
    files = fresh.as_root(f"dpkg -L {facts.EXECUTABLE}").split("\n")
    told = fresh.as_root(f"DEBIAN_FRONTEND=noninteractive apt-get purge -q --yes {facts.EXECUTABLE}")
    left = [name for name in files if Path(name).name and not Path(f"{fresh.root}{name}").is_dir()]
    left = [name for name in left if Path(f"{fresh.root}{name}").exists()]
    if left or (fresh.root / LIBRARIES[1:]).exists():
        raise SmokeError(f"left behind: {left or LIBRARIES}")
    if {str(file) for file in (fresh.root / "home").rglob("*")} != users:
        raise SmokeError("something of the users' is gone")
    if "~/.local/share" not in told or "keyrings" not in told:
        raise SmokeError(f"it does not say where the users' data is: {told[-500:]}")
    return f"{len(files)} files and folders are gone, what users keep is left"


def started_by(entry: str) -> str:
    """The program that a menu entry names, read as the Desktop Entry Specification says: one quoted argument."""
    line = next(line for line in entry.splitlines() if line.startswith("Exec="))
    argument = re.fullmatch(r'Exec="(.*)"', line)
    if argument is None:
        raise SmokeError(f"not quoted: {line}")
    # First what holds for every text in such a file, then what holds between quotes.
    return re.sub(r"\\(.)", r"\1", argument[1].replace("\\\\", "\\")).replace("%%", "%")


def demo(place: Place) -> None:
    """The demo for some seconds under a display. Raises ``SmokeError``: no live prices, or it did not end well."""
    result = place.run(*SHORT_DEMO)
    if result.returncode or "live" not in result.stdout or "Traceback" in result.stderr:
        raise SmokeError(said(result))


def run(place: Place, script: str) -> str:
    """Run a shell script as the user and return what it printed. Raises ``SmokeError``: it failed."""
    result = subprocess.run(place.shell(script), capture_output=True, text=True, check=False)
    if result.returncode:
        raise SmokeError(said(result))
    return result.stdout


def unpack(fresh: Fresh, archive: str, folder: Path) -> Path:
    """Unpack the portable archive into ``folder`` as the user and return the one folder in it."""
    inside = shlex.quote(f"/{folder.relative_to(fresh.root)}")
    run(fresh.place(fresh.home("first")), f"tar -xzf /tmp/{archive} -C {inside}")
    (unpacked,) = folder.iterdir()
    return unpacked


def ours(home: Path) -> list[str]:
    """Files in a home that belong to the program, by their paths below it."""
    names = [str(file.relative_to(home)) for file in home.rglob("*") if not file.is_dir() or file.is_symlink()]
    return sorted(name for name in names if facts.EXECUTABLE in name or facts.APP_ID in name)
