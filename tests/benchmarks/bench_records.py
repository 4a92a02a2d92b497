"""What a frozen value costs as a ``msgspec.Struct`` and as a dataclass: to define at a start, to make at each reply.

``python tests/benchmarks/bench_records.py`` prints the tables; as a test (marker ``benchmark``) it holds the bars.
"""

import dataclasses
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.benchmarks.bench_transport import skip_if_busy
from tests.benchmarks.harness import Interleaved, interleave_quietly

FIELDS = tuple(f"field_{number}" for number in range(12))
DEFINE_BAR, MAKE_BAR = 0.10, 0.25
CONTROL = ("dataclass", "dataclass again")


def define_struct() -> type[Any]:
    """A frozen record of twelve fields."""
    return msgspec.defstruct("Record", [(name, int) for name in FIELDS], frozen=True, kw_only=True)


def define_dataclass() -> type[Any]:
    """The same as the dataclass it would be."""
    body = {"__annotations__": dict.fromkeys(FIELDS, int), "__doc__": "One.", "__module__": __name__}
    return dataclasses.dataclass(frozen=True, slots=True, kw_only=True)(type("Record", (), body))


def measure(struct: Callable[[], object], plain: Callable[[], object], rounds: int) -> Interleaved:
    """Both in turns; the dataclass twice, as the control."""
    variants = {"dataclass": plain, "dataclass again": plain, "struct": struct}
    return interleave_quietly(variants, control=CONTROL, rounds=rounds)


def measure_defining() -> Interleaved:
    """A definition each."""
    return measure(define_struct, define_dataclass, rounds=400)


def measure_making() -> Interleaved:
    """A hundred values each, as many as a reply of a small venue has."""
    struct, plain = define_struct(), define_dataclass()
    values = {name: number for number, name in enumerate(FIELDS)}

    def hundred(kind: type[Any]) -> Callable[[], object]:
        return lambda: [kind(**values) for _ in range(100)]

    return measure(hundred(struct), hundred(plain), rounds=1000)


@pytest.mark.benchmark
def test_defining_a_struct_costs_a_fraction_of_a_dataclass() -> None:
    result = measure_defining()
    print("\n" + result.table("dataclass"))
    skip_if_busy(result, CONTROL)

    assert result.ratio("struct", "dataclass") <= DEFINE_BAR


@pytest.mark.benchmark
def test_making_a_struct_costs_a_fraction_of_a_dataclass() -> None:
    result = measure_making()
    print("\n" + result.table("dataclass"))
    skip_if_busy(result, CONTROL)

    assert result.ratio("struct", "dataclass") <= MAKE_BAR


def main() -> None:
    """Print both tables."""
    print("Defining a frozen record of 12 fields")
    print(measure_defining().table("dataclass"))
    print("\nMaking a hundred of them")
    print(measure_making().table("dataclass"))


if __name__ == "__main__":
    main()
