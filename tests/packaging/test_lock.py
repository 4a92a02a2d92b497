"""The lock files: complete, exact, hashed, free of addresses, and right for every supported system."""

import itertools
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "requirements.lock"
DEV = ROOT / "requirements-dev.lock"
HASH = re.compile(r"^--hash=sha256:[0-9a-f]{64}$")

ENVIRONMENTS = [
    {
        "python_version": python,
        "python_full_version": f"{python}.4",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        **system,
    }
    for python, system in itertools.product(
        ("3.11", "3.12", "3.13"),
        (
            {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "x86_64"},
            {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "platform_machine": "aarch64"},
            {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"},
            {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix", "platform_machine": "arm64"},
        ),
    )
]
each_lock = pytest.mark.parametrize("lock", [RUNTIME, DEV], ids=["runtime", "dev"])
each_environment = pytest.mark.parametrize(
    "environment", ENVIRONMENTS, ids=lambda e: "-".join((e["python_version"], e["sys_platform"], e["platform_machine"]))
)


def _entries(lock: Path) -> list[tuple[str, list[str]]]:
    """Return each requirement of the lock with its hash options."""
    joined = lock.read_text("utf-8").replace("\\\n", " ")
    entries = []
    for line in joined.splitlines():
        if line.strip() and not line.startswith("#"):
            requirement, *options = re.split(r"\s+(?=--)", line.strip())
            entries.append((requirement, options))
    return entries


def _pins(lock: Path, environment: dict[str, str]) -> dict[str, str]:
    """Return the version of each package that the lock gives to this environment."""
    pins: dict[str, str] = {}
    for text, _ in _entries(lock):
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate(environment):
            name = canonicalize_name(requirement.name)

            assert name not in pins, f"two versions of {name} for one environment"
            pins[name] = str(requirement.specifier).removeprefix("==")
    return pins


def _direct(environment: dict[str, str], *, with_dev: bool) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    texts = project["project"]["dependencies"] + (project["dependency-groups"]["dev"] if with_dev else [])
    requirements = [Requirement(text) for text in texts]
    return [entry for entry in requirements if entry.marker is None or entry.marker.evaluate(environment)]


@each_lock
def test_the_lock_names_no_index_and_no_path(lock: Path) -> None:
    entries = _entries(lock)

    assert len(entries) > 20
    assert "://" not in lock.read_text("utf-8")
    for requirement, options in entries:
        assert re.match(r"^[a-z0-9][a-z0-9._-]*==", requirement), requirement
        assert [option for option in options if not HASH.match(option)] == []


@each_lock
def test_each_package_has_one_exact_version_and_hashes(lock: Path) -> None:
    for text, options in _entries(lock):
        specifiers = list(Requirement(text).specifier)

        assert [specifier.operator for specifier in specifiers] == ["=="], text
        assert "*" not in specifiers[0].version
        assert options, f"{text} has no hash"


@each_environment
@pytest.mark.parametrize("with_dev", [False, True], ids=["runtime", "dev"])
def test_each_direct_dependency_is_pinned_within_its_range(environment: dict[str, str], with_dev: bool) -> None:
    pins = _pins(DEV if with_dev else RUNTIME, environment)
    direct = _direct(environment, with_dev=with_dev)

    assert direct
    for requirement in direct:
        version = pins.get(canonicalize_name(requirement.name))

        assert version is not None, f"{requirement.name} is not in the lock: run packaging/lock.py"
        assert requirement.specifier.contains(version), f"{requirement} does not allow {version}"


def test_the_tests_run_on_the_versions_that_people_get() -> None:
    runtime, dev = _entries(RUNTIME), _entries(DEV)

    assert [entry for entry in runtime if entry not in dev] == []


@each_environment
def test_markers_tell_the_systems_apart(environment: dict[str, str]) -> None:
    pins = _pins(RUNTIME, environment)
    is_311 = environment["python_version"] == "3.11"

    # 6.12.0 aborts the process on 3.11: tests/unit/test_pyside_guard.py.
    assert not is_311 or tuple(int(part) for part in pins["pyside6-essentials"].split(".")) < (6, 12)
    assert pins["pyside6-essentials"] == pins["shiboken6"]
    assert ("truststore" in pins) == (environment["sys_platform"] != "linux")
    assert ("secretstorage" in pins) == (environment["sys_platform"] == "linux")
    assert ("pywin32-ctypes" in pins) == (environment["sys_platform"] == "win32")
