"""Third-party notices of what is really in the bundle: libraries of the lock, Python, and the system's libraries."""

import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Sequence
from importlib import metadata
from pathlib import Path

from bundle_facts import APP_NAME, PACKAGING, VERSION, require

LICENCES = PACKAGING / "licences"
RULE = "=" * 60

# Wheels without a licence text of their own, and the text that the project names in its metadata.
TEXTS_FROM_HERE = {
    "pyside6-essentials": ("LGPL-3.0.txt", "GPL-3.0.txt"),
    "shiboken6": ("LGPL-3.0.txt", "GPL-3.0.txt"),
}

QT_NOTE = """\
Qt and Qt for Python (PySide6, Shiboken) are used under the GNU Lesser General Public License, version 3. They are
unmodified, and in this bundle they are separate files (Qt6*, PySide6, shiboken6): you may replace them with versions of
your own that have the same interface. Their source code is at https://download.qt.io/official_releases/QtForPython/ and
https://download.qt.io/official_releases/qt/ under the version named here. Third-party code inside Qt, with its
licences, is listed at https://doc.qt.io/qt-6/licenses-used-in-qt.html."""

_LICENCE_FILE = re.compile(r"(^|/)(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)


def distributions_of(modules: Iterable[str]) -> list[metadata.Distribution]:
    """The installed distributions that the top-level ``modules`` belong to, by name."""
    owners = metadata.packages_distributions()
    names = {name for module in modules for name in owners.get(module, ())}
    return [metadata.distribution(name) for name in sorted(names, key=str.casefold)]


def is_of_python(file: Path, base: Path = Path(sys.base_prefix)) -> bool:
    """Whether a bundled file is part of a Python that lives in a folder of its own (pyenv, actions/setup-python, uv).

    Python's own notice covers it. A Python of the system's packages is told by them.

    Raises:
        SystemExit: it came with such a Python and is another project's, whose licence nobody has looked at.
    """
    base, file = base.resolve(), file.resolve()
    if base == Path("/usr") or base not in file.parents:
        return False
    # Extension modules and the standard library; OpenSSL and others, which some of these Pythons bring, lie beside it.
    if file.name.startswith("libpython") or re.match(r"python3[\d.]*t?$", file.relative_to(base).parts[1]):
        return True
    raise SystemExit(
        f"{file} came with this Python, and its licence is not known: build with a Python that uses the system's "
        "libraries, or add its notice in packaging/notices.py."
    )


def write_notices(
    file: Path, *, distributions: Sequence[metadata.Distribution], system_libraries: Sequence[Path]
) -> None:
    """Write the notices of ``distributions``, of Python and of ``system_libraries`` (files of this machine).

    Raises:
        SystemExit: the licence of one of them is not to be found.
    """
    parts = [
        f"{APP_NAME} {VERSION} is published under the MIT licence. It contains the following software of others.",
        _python_notice(),
        *(_distribution_notice(one) for one in distributions),
        *_system_notices(system_libraries),
    ]
    file.write_text(f"\n\n{RULE}\n".join(parts) + "\n", "utf-8", newline="\n")


def _python_notice() -> str:
    library = Path(sysconfig.get_path("stdlib"))
    places = (
        library / "LICENSE.txt",
        library.parent / "LICENSE.txt",
        Path(sys.base_prefix) / "LICENSE.txt",
        # Debian and Ubuntu.
        Path("/usr/share/doc") / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "copyright",
    )
    text = next((place.read_text("utf-8") for place in places if place.is_file()), None)
    if text is None:
        raise SystemExit(f"Python's licence is in none of {', '.join(map(str, places))}.")
    return f"Python {sys.version.split()[0]}\nhttps://www.python.org/\n\n{text.strip()}"


def _distribution_notice(one: metadata.Distribution) -> str:
    name, about = one.metadata["Name"], one.metadata
    texts = [
        Path(str(one.locate_file(file))).read_text("utf-8", errors="replace")
        for file in one.files or ()
        if ".dist-info/" in str(file) and _LICENCE_FILE.search(str(file))
    ]
    key = re.sub(r"[-_.]+", "-", name).lower()
    from_here = [LICENCES / text for text in TEXTS_FROM_HERE.get(key, ())]
    require(*from_here)
    texts += [text.read_text("utf-8") for text in from_here]
    if not texts:
        raise SystemExit(f"{name} comes without a licence text: add it to TEXTS_FROM_HERE in packaging/notices.py.")
    kind = _field(about, "License-Expression") or next(
        (line.split(" :: ")[-1] for line in about.get_all("Classifier", []) if line.startswith("License ::")),
        (_field(about, "License") or "see below").splitlines()[0],
    )
    home = _field(about, "Home-page") or next((url.split(", ")[-1] for url in about.get_all("Project-URL", [])), "")
    head = [f"{name} {one.version}", *([home] if home else []), f"Licence: {kind}"]
    if key in {"pyside6-essentials", "shiboken6"}:
        head += ["", QT_NOTE]
    return "\n".join([*head, "", *(text.strip() for text in texts)])


def _field(about: metadata.PackageMetadata, name: str) -> str:
    return about[name] if name in about else ""  # noqa: SIM401 - the protocol of metadata has no get()


def _system_notices(files: Sequence[Path]) -> list[str]:
    """Notices of shared libraries that were taken from the build machine's own packages (Debian and Ubuntu)."""
    if not files:
        return []
    if shutil.which("dpkg-query") is None:
        raise SystemExit("Libraries of this machine are bundled, but there is no dpkg-query to tell their licences.")
    owners: dict[str, list[str]] = {}
    for file in files:
        owners.setdefault(_debian_package(file), []).append(file.name)
    # Packages of one source share their text; once is enough, and a megabyte is slow to show.
    heads: dict[str, list[str]] = {}
    for package, names in sorted(owners.items()):
        copyright_file = Path("/usr/share/doc") / package.split(":")[0] / "copyright"
        if not copyright_file.is_file():
            raise SystemExit(f"{copyright_file} is missing: the licence of {', '.join(names)} is not known.")
        text = copyright_file.read_text("utf-8", errors="replace").strip()
        version = _output(["dpkg-query", "--show", "--showformat=${Version}", package])
        heads.setdefault(text, []).append(f"{', '.join(sorted(names))} (from Debian's {package} {version})")
    return ["\n".join(lines) + f"\n\n{text}" for text, lines in heads.items()]


def _debian_package(file: Path) -> str:
    # /lib is a link to /usr/lib, and packages may know a file by either name.
    real = str(file.resolve())
    for name in (str(file), real, real.removeprefix("/usr"), "/usr" + real):
        found = _output(["dpkg-query", "--search", name])
        if found:
            return found.split(": ")[0].split(",")[0].strip()
    raise SystemExit(f"{file} belongs to no package of this machine: its licence is not known.")


def _output(command: Sequence[str]) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() if result.returncode == 0 else ""
