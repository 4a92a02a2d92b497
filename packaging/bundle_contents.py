"""What goes into the bundle and what is left out, each with its reason.

Qt parts are decided one by one: something that is in neither list stops the build, so that a new Qt cannot bring in
megabytes unnoticed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath
from typing import TypeAlias

Entry: TypeAlias = tuple[str, str, str]
"""PyInstaller's (name in the bundle, file on this machine, kind)."""

EXCLUDED_MODULES = {
    "tkinter": "another GUI toolkit; numpy and pyqtgraph mention it",
    "unittest": "test code of numpy and pyqtgraph",
    "doctest": "test code",
    "pdb": "a debugger needs a terminal",
    "lib2to3": "source translation",
    "xmlrpc": "only pydoc's server uses it",
    "pip": "installers have no place in a finished bundle",
    "setuptools": "as pip",
    "pkg_resources": "as pip",
    "wheel": "as pip",
    "numpy.f2py": "translates Fortran",
    "numpy.testing": "test code",
    "numpy.distutils": "compiles extensions",
    "pyqtgraph.examples": "examples",
    "pyqtgraph.opengl": "3-D plots; needs PyOpenGL",
    "pyqtgraph.flowchart": "not used by the plots",
    "pyqtgraph.canvas": "not used by the plots",
    "pyqtgraph.dockarea": "the window has Qt's own docks",
    "pyqtgraph.jupyter": "notebooks",
    "pyqtgraph.console": "a Python prompt",
    "OpenGL": "the plots are drawn without OpenGL",
    "IPython": "pyqtgraph offers notebooks when it is there",
    "jupyter_rfb": "as IPython",
    "matplotlib": "pyqtgraph exports to it when it is there",
    "scipy": "pyqtgraph uses it when it is there",
    "cupy": "as scipy",
    "numba": "as scipy",
    "h5py": "as scipy",
    "PIL": "icons are made by the build",
    "PyQt5": "another binding of Qt",
    "PyQt6": "another binding of Qt",
    "PySide2": "another binding of Qt",
    "PySide6.QtNetwork": "requests go through urllib3; 4 MB with its plugins",
    "PySide6.QtTest": "pyqtgraph looks for it and copes without",
    "PySide6.QtPrintSupport": "nothing is printed",
    "PySide6.QtSql": "the history is in Python's own sqlite3",
    "PySide6.QtXml": "nothing reads XML through Qt",
    "PySide6.QtQml": "the window is made of widgets",
    "PySide6.QtQuick": "as QtQml",
    "PySide6.QtConcurrent": "worker threads are Python's",
    "PySide6.QtHelp": "the help is a dialog of our own",
    "PySide6.QtDesigner": "no .ui files",
    "PySide6.QtUiTools": "no .ui files",
}

KEPT_QT_LIBRARIES = {
    "Core": "everything",
    "Gui": "everything",
    "Widgets": "the window",
    "Svg": "icons",
    "OpenGL": "pyqtgraph imports it always",
    "OpenGLWidgets": "pyqtgraph imports it always",
    "DBus": "Linux: platform plugins (theme, portals, accessibility) link to it",
    "XcbQpa": "Linux: the X11 plugin",
    "WaylandClient": "Linux: the Wayland plugin",
    "WlShellIntegration": "Linux: windows on Wayland",
}

KEPT_QT_PLUGINS = {
    "platforms/qxcb": "Linux on X11",
    "platforms/qwayland": "Linux on Wayland",
    "platforms/qoffscreen": "--demo without a display",
    "platforms/qwindows": "Windows",
    "platforms/qcocoa": "macOS",
    "styles/qmodernwindowsstyle": "Windows: native parts of the file dialogs",
    "styles/qmacstyle": "macOS: as above",
    "platformthemes/qxdgdesktopportal": "Linux: the desktop's own file dialogs",
    "platforminputcontexts/composeplatforminputcontextplugin": "Linux: compose keys",
    "platforminputcontexts/ibusplatforminputcontextplugin": "Linux: input methods",
    "wayland-shell-integration/xdg-shell": "windows on Wayland",
    "wayland-decoration-client/bradient": "title bars on GNOME, which draws none itself",
    "iconengines/qsvgicon": "icons named in the style sheet",
    "imageformats/qsvg": "pictures named in the style sheet",
}

LEFT_OUT_QT = {
    "platforms/(qeglfs|qlinuxfb|qminimal|qminimalegl|qvkkhrdisplay|qvnc|qdirect2d)": "no desktop uses them",
    "egldeviceintegrations/.*": "devices without a desktop",
    "generic/.*": "input devices read without a desktop, and touch tables",
    "xcbglintegrations/.*": "OpenGL windows; the plots are raster",
    "wayland-graphics-integration-client/.*": "OpenGL and Vulkan windows",
    "wayland-graphics-integration-server/.*": "compositors",
    "wayland-decoration-client/adwaita": "aborted 4 of 28 starts in malloc() (Qt 6.11, weston 10)",
    "wayland-shell-integration/(fullscreen-shell-v1|ivi-shell|qt-shell|wl-shell-plugin)": "not desktops, or obsolete",
    "platformthemes/qgtk3": "pulls in all of GTK from the build machine",
    "imageformats/(qgif|qicns|qico|qjpeg|qpdf|qtga|qtiff|qwbmp|qwebp|qmacheif|qmacjp2)": "our pictures are PNG and SVG",
    "networkinformation/.*": "belongs to QtNetwork",
    "tls/.*": "belongs to QtNetwork",
    "sqldrivers/.*": "belongs to QtSql",
    "printsupport/.*": "nothing is printed",
    "platforminputcontexts/qtvirtualkeyboardplugin": "needs Qt Quick",
    "styles/qwindowsvistastyle": "replaced by the modern one",
    "accessiblebridge/.*": "part of the platform plugins today",
    "permissions/.*": "no camera, microphone, location",
    "lib/(Network|Test|PrintSupport|Sql|Xml|Concurrent|EglFSDeviceIntegration|EglFsKmsSupport|Pdf|Qml.*|Quick.*"
    "|VirtualKeyboard.*)": "libraries of what is left out above",
    "lib/(WaylandEglClientHwIntegration|WaylandCompositor.*|EglFs.*)": "as above",
}

_QT_LIBRARY = re.compile(r"(?:^|/)(?:lib)?Qt6?(?P<name>[A-Z]\w+?)(?:\.abi3)?(?:\.so[\d.]*|\.dll|\.dylib|\.pyd)$")
_QT_FRAMEWORK = re.compile(r"/Qt(?P<name>\w+)\.framework/")
_QT_PLUGIN = re.compile(r"/plugins/(?P<folder>[\w-]+)/(?:lib)?(?P<name>[\w-]+)\.(?:so|dll|dylib)$")
_UNUSED_DATA = re.compile(
    r"/translations/.*\.qm$"  # the program speaks English only
    r"|^pyqtgraph/colors/maps/"  # colour maps of images
    r"|^pyqtgraph/.*\.(pyi|ui|md|txt)$"
    r"|^pyqtgraph/icons/peegee/"
    r"|/py\.typed$"
)
_SOFTWARE_GL = re.compile(r"(opengl32sw|d3dcompiler_\d+)\.dll$", re.IGNORECASE)


def qt_part(name: str) -> str | None:
    """Name the part of Qt that a file of a bundle is: ``lib/Core``, ``platforms/qxcb``; ``None``: it is none."""
    path = "/" + PurePosixPath(name.replace("\\", "/")).as_posix().lstrip("/")
    if "PySide6" not in path:
        return None
    plugin = _QT_PLUGIN.search(path)
    if plugin is not None:
        return f"{plugin['folder']}/{plugin['name']}"
    library = _QT_FRAMEWORK.search(path) or _QT_LIBRARY.search(path)
    return None if library is None else f"lib/{library['name']}"


def is_kept(part: str) -> bool:
    """Whether this part of Qt belongs into the bundle.

    Raises:
        SystemExit: nobody has decided about it.
    """
    if part.removeprefix("lib/") in KEPT_QT_LIBRARIES or part in KEPT_QT_PLUGINS:
        return True
    if any(re.fullmatch(pattern, part) for pattern in LEFT_OUT_QT):
        return False
    raise SystemExit(f"Qt's {part} is new: decide about it in packaging/bundle_contents.py.")


def without_unused(entries: Iterable[Entry]) -> list[Entry]:
    """Leave out Qt parts, translations and data that the program does not use."""
    kept = []
    for entry in entries:
        name = entry[0].replace("\\", "/")
        part = qt_part(name)
        if part is not None:
            if is_kept(part):
                kept.append(entry)
        elif not _UNUSED_DATA.search(name) and not _SOFTWARE_GL.search(name):
            kept.append(entry)
    return kept


def without_orphans(
    binaries: Sequence[Entry],
    imports: Callable[[str], Iterable[tuple[str, str | None]]],
    *,
    is_root: Callable[[Entry], bool],
) -> list[Entry]:
    """Leave out shared libraries that nothing in the bundle links to any more.

    ``imports`` gives (name, file) of what a binary links to. Roots are kept, and what can be reached from them.
    """
    by_name: dict[str, Entry] = {PurePosixPath(entry[0].replace("\\", "/")).name: entry for entry in binaries}
    waiting = [entry for entry in binaries if is_root(entry)]
    reached = {entry[0] for entry in waiting}
    while waiting:
        for name, _ in imports(waiting.pop()[1]):
            found = by_name.get(PurePosixPath(name.replace("\\", "/")).name)
            if found is not None and found[0] not in reached:
                reached.add(found[0])
                waiting.append(found)
    return [entry for entry in binaries if entry[0] in reached]


def is_loaded_by_name(entry: Entry) -> bool:
    """Whether a binary is opened by name and not through another one: extension modules, plugins, Python itself."""
    name = entry[0].replace("\\", "/")
    is_system_library = "/" not in name and re.match(r"lib.+\.so", name) is not None
    is_python = PurePosixPath(name).name.lower().startswith(("libpython", "python3"))
    return entry[2] == "EXTENSION" or is_python or not (is_system_library or "/Qt/lib/" in name)


def oldest_macos(wheels: Iterable[str], python: str) -> str:
    """The oldest macOS that a bundle runs on, told by the tags in its wheels' ``WHEEL`` files.

    pip takes the newest wheels that fit the machine: numpy's for macOS 14 on macOS 14, although there is an older one.
    ``python`` is what the interpreter was built for, ``MACOSX_DEPLOYMENT_TARGET``.
    """
    major, _, minor = python.partition(".")
    versions = [(int(major), int(minor or 0))]
    for text in wheels:
        versions += [(int(a), int(b)) for a, b in re.findall(r"^Tag: .*-macosx_(\d+)_(\d+)_", text, re.MULTILINE)]
    return "{}.{}".format(*max(versions))
