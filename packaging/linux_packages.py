"""Make the Linux packages of the built bundle: ``python packaging/linux_packages.py``; needs dpkg-deb and objdump.

Writes ``dist/trading-monitor_<version>_<arch>.deb``, ``dist/trading-monitor-<version>-linux-<machine>.tar.gz`` and
``dist/SHA256SUMS``. What the .deb depends on is measured: the libraries that files of the bundle are linked to and
that are not in it, by the packages that they come from on this machine. The .deb, its menu entry and its AppStream data
are checked with lintian, desktop-file-validate and appstreamcli, as far as those are installed.
"""

import email.utils
import gzip
import hashlib
import os
import platform
import re
import shutil
import string
import subprocess
import sys
import tarfile
from collections.abc import Iterable
from pathlib import Path

import bundle_facts as facts

TEMPLATES = facts.PACKAGING / "linux"
HOMEPAGE = "https://github.com/trading-monitor/trading-monitor"
MAINTAINER = f"{facts.PUBLISHER} <noreply@github.com>"
LIBRARY_FOLDER = f"usr/lib/{facts.EXECUTABLE}"

NEEDED_BY_NAME = {
    "libgl1": "Qt opens libGL by name",
    "libegl1": "Qt opens libEGL by name",
    "fontconfig-config": "where the fonts are",
    "fonts-dejavu-core | fonts-noto-core | fonts-liberation": "a font",
    "xkb-data": "keyboard layouts",
    "ca-certificates": "whom to trust; the program's own list is older than the system's",
}
RECOMMENDED = {
    "gnome-keyring | kwalletmanager | keepassxc": "keeps the keys of accounts",
    "xdg-utils": "opens the log folder",
}
LINTIAN_OVERRIDES = {
    "embedded-library": "the bundle brings the versions that it was tested with, as on every system",
    "unstripped-binary-or-object": "strip breaks numpy's libraries",
    "hardening-no-pie": "PyInstaller's bootloader, as its project built it",
    "shared-library-lacks-prerequisites": "Qt's and Python's extension modules, resolved by their loader",
    "library-not-linked-against-libc": "extension modules, which are linked to the program that loads them",
}


def main() -> int:
    """Make everything; return the exit code."""
    facts.require(facts.bundle_folder("linux"), facts.ICONS / "app-256.png", facts.NOTICES_FILE)
    made = [make_deb(), make_tarball()]
    check(made[0])
    sums = "".join(f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in made)
    (facts.DIST / "SHA256SUMS").write_text(sums, "utf-8")
    for file in made:
        print(f"{file.stat().st_size / 1e6:6.1f} MB  {file}")
    return 0


def check(package: Path) -> None:
    """Check the .deb, its menu entry and its AppStream data. Raises ``SystemExit``: one of the tools found an error."""
    share = facts.BUILD / "deb" / "usr" / "share"
    for command in (
        ["desktop-file-validate", str(share / "applications" / f"{facts.APP_ID}.desktop")],
        ["appstreamcli", "validate", "--no-net", str(share / "metainfo" / f"{facts.APP_ID}.metainfo.xml")],
        ["lintian", "--allow-root", "--fail-on", "error", "--tag-display-limit", "0", str(package)],
    ):
        if shutil.which(command[0]) is None:
            print(f"not checked with {command[0]}, which is not installed")
        elif subprocess.run(command, check=False).returncode:
            raise SystemExit(f"{command[0]} found an error, see above.")
        else:
            print(f"{command[0]}: no errors")


def filled(template: str, command: str = facts.EXECUTABLE) -> str:
    """A file of ``packaging/linux`` with the program's facts in it. Raises ``KeyError``: it asks for another one."""
    return string.Template((TEMPLATES / template).read_text("utf-8")).substitute(
        name=facts.APP_NAME,
        app_id=facts.APP_ID,
        summary=facts.SUMMARY,
        publisher=facts.PUBLISHER,
        homepage=HOMEPAGE,
        executable=facts.EXECUTABLE,
        version=facts.VERSION,
        date=facts.commit_time().date().isoformat(),
        command=command,
    )


def write_share(share: Path) -> None:
    """Menu entry, AppStream data and icons below ``share``."""
    write(share / "applications" / f"{facts.APP_ID}.desktop", filled("app.desktop.in"))
    write(share / "metainfo" / f"{facts.APP_ID}.metainfo.xml", filled("metainfo.xml.in"))
    icons = share / "icons" / "hicolor"
    for size in facts.ICON_SIZES:
        copy(facts.ICONS / f"app-{size}.png", icons / f"{size}x{size}" / "apps" / f"{facts.APP_ID}.png")
    copy(facts.ICON_SOURCE, icons / "scalable" / "apps" / f"{facts.APP_ID}.svg")


def make_deb() -> Path:
    """Write the Debian package and return its file. Raises ``SystemExit``: dpkg-deb refuses it."""
    tree = facts.BUILD / "deb"
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(facts.bundle_folder("linux"), tree / LIBRARY_FOLDER, symlinks=True)
    command = tree / "usr" / "bin" / facts.EXECUTABLE
    command.parent.mkdir(parents=True)
    command.symlink_to(f"../lib/{facts.EXECUTABLE}/{facts.EXECUTABLE}")
    write_share(tree / "usr" / "share")
    documents = tree / "usr" / "share" / "doc" / facts.EXECUTABLE
    licence = (facts.ROOT / "LICENSE").read_text("utf-8")
    others = f"Software of others in it, and its licences: /{documents.relative_to(tree)}/third-party-notices.txt.gz"
    write(documents / "copyright", f"{facts.APP_NAME}\n{HOMEPAGE}\n\n{licence}\n\n{others}\n")
    write_gzip(documents / "third-party-notices.txt.gz", facts.NOTICES_FILE.read_text("utf-8"))
    write_gzip(documents / "CHANGELOG.md.gz", (facts.ROOT / "CHANGELOG.md").read_text("utf-8"))
    write_gzip(documents / "changelog.gz", debian_changelog())
    write_gzip(tree / "usr/share/man/man1" / f"{facts.EXECUTABLE}.1.gz", filled(f"{facts.EXECUTABLE}.1.in"))
    overrides = "".join(f"# {why}\n{facts.EXECUTABLE}: {tag}\n" for tag, why in LINTIAN_OVERRIDES.items())
    write(tree / "usr/share/lintian/overrides" / facts.EXECUTABLE, overrides)
    program = tree / LIBRARY_FOLDER / facts.EXECUTABLE
    for file in [*tree.rglob("*")]:
        if not file.is_symlink():
            file.chmod(0o755 if file.is_dir() or file == program else 0o644)
    size_kib = sum(file.lstat().st_size for file in tree.rglob("*") if not file.is_dir()) // 1024
    architecture = said(["dpkg", "--print-architecture"])
    write(
        tree / "DEBIAN" / "control",
        f"Package: {facts.EXECUTABLE}\nVersion: {facts.VERSION}\nArchitecture: {architecture}\n"
        f"Maintainer: {MAINTAINER}\nInstalled-Size: {size_kib}\nSection: net\nPriority: optional\n"
        f"Depends: {', '.join(dependencies(facts.bundle_folder('linux')))}\nRecommends: {', '.join(RECOMMENDED)}\n"
        f"Homepage: {HOMEPAGE}\nDescription: monitor of prices, their age and connection reuse\n"
        " Polls Bitunix futures and Hyperliquid through pooled connections and shows how\n"
        " old each price is, why, and whether connections are really reused. Read-only:\n"
        f" it never places, changes or cancels an order. Built from {facts.commit()}.\n",
    )
    postrm = tree / "DEBIAN" / "postrm"
    write(postrm, (TEMPLATES / "postrm").read_text("utf-8"))
    postrm.chmod(0o755)
    package = facts.DIST / f"{facts.EXECUTABLE}_{facts.VERSION}_{architecture}.deb"
    said(["dpkg-deb", "--root-owner-group", "-Zxz", "--build", str(tree), str(package)])
    return package


def debian_changelog() -> str:
    """Debian's own form of a changelog, which only names the version; what changed is in CHANGELOG.md."""
    date = email.utils.format_datetime(facts.commit_time())
    return (
        f"{facts.EXECUTABLE} ({facts.VERSION}) unstable; urgency=medium\n\n"
        f"  * What changed is told in CHANGELOG.md.gz beside this file.\n\n -- {MAINTAINER}  {date}\n"
    )


def make_tarball() -> Path:
    """Write the portable archive and return its file."""
    name = f"{facts.EXECUTABLE}-{facts.VERSION}-linux-{platform.machine()}"
    tree = facts.BUILD / "tarball" / name
    shutil.rmtree(tree, ignore_errors=True)
    shutil.copytree(facts.bundle_folder("linux"), tree, symlinks=True)
    write_share(tree / "share")
    installer = (TEMPLATES / "install.sh").read_text("utf-8").replace("@APP_ID@", facts.APP_ID)
    write(tree / "install.sh", installer)
    (tree / "install.sh").chmod(0o755)
    copy(facts.ROOT / "LICENSE", tree / "LICENSE")
    archive = facts.DIST / f"{name}.tar.gz"
    with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
        tar.add(tree, name, filter=_owned_by_nobody)
    return archive


def _owned_by_nobody(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = "root"
    return entry


def dependencies(bundle: Path) -> list[str]:
    """Debian packages that the bundle needs: of libraries outside it that its files are linked to, and by name.

    Raises:
        SystemExit: a library belongs to no package of this machine.
    """
    files = [file for file in bundle.rglob("*") if file.is_file() and not file.is_symlink() and is_elf(file)]
    inside = {file.name for file in bundle.rglob("*")}
    outside = {name for file in files for name in linked(file) if name not in inside}
    if named := [file.name for file in files if searches_in(file).startswith("/")]:
        raise SystemExit(f"Of the bundle, {', '.join(named)} would load libraries of a folder of this machine.")
    packages = {owner(name) for name in outside}
    packages.discard("libc6")
    return [f"libc6 (>= {glibc_version(files)})", *sorted(packages | set(NEEDED_BY_NAME))]


def is_elf(file: Path) -> bool:
    """Whether it is a program or a library."""
    with file.open("rb") as opened:
        return opened.read(4) == b"\x7fELF"


def linked(file: Path) -> list[str]:
    """Names of the libraries that it is linked to."""
    return re.findall(r"^\s+NEEDED\s+(\S+)$", said(["objdump", "-p", str(file)]), re.MULTILINE)


def searches_in(file: Path) -> str:
    """Where it looks for them first, empty if that is nowhere in particular."""
    found = re.search(r"^\s+R(?:UN)?PATH\s+(\S+)$", said(["objdump", "-p", str(file)]), re.MULTILINE)
    return found[1] if found else ""


def glibc_version(files: Iterable[Path]) -> str:
    """The newest GLIBC symbol version that any of ``files`` asks for."""
    versions = {(2, 17)}
    for file in files:
        found = re.findall(r"GLIBC_(\d+)\.(\d+)", said(["objdump", "-p", str(file)]))
        versions |= {(int(major), int(minor)) for major, minor in found}
    return ".".join(map(str, max(versions)))


def owner(library: str) -> str:
    """The Debian package that a shared library comes from."""
    cache = said(["/sbin/ldconfig", "-p"], environment={"LC_ALL": "C"})
    match = re.search(rf"^\s+{re.escape(library)} \(.*\) => (\S+)$", cache, re.MULTILINE)
    if match is None:
        raise SystemExit(f"{library} is linked to, but neither in the bundle nor on this machine.")
    for name in (match[1], str(Path(match[1]).resolve()), match[1].removeprefix("/usr"), f"/usr{match[1]}"):
        result = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True, check=False)
        if result.returncode == 0:
            return result.stdout.split(":")[0]
    raise SystemExit(f"{match[1]} belongs to no package of this machine.")


def said(command: list[str], environment: dict[str, str] | None = None) -> str:
    """What ``command`` prints. Raises ``SystemExit``: it failed."""
    result = subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **(environment or {})}
    )
    if result.returncode:
        raise SystemExit(f"This did not work: {' '.join(command)}\n{result.stderr}")
    return result.stdout.strip()


def write(file: Path, text: str) -> None:
    """Write a text, with the folders above it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")


def write_gzip(file: Path, text: str) -> None:
    """Write a compressed text without the time in it, as Debian wants."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def copy(source: Path, target: Path) -> None:
    """Copy a file, with the folders above it. Raises ``SystemExit``: there is none."""
    facts.require(source)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


if __name__ == "__main__":
    sys.exit(main())
