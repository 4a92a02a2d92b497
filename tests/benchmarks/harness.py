"""Ratios that survive a busy machine: variants take turns in random order, medians are compared, a control is kept.

A benchmark gives named variants, one of them run twice under two names (the control). Absolute times mean nothing
here; a ratio of two medians of the same interleaved run does, as long as the control's ratio is close to 1.
"""

import gc
import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Run = Callable[[], object]

CONTROL_TOLERANCE = 0.03
"""How far the control may be from 1 before the run is called too noisy to judge."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Nanoseconds of every round of one variant, by clock."""

    cpu_ns: tuple[int, ...]
    """CPU time of the measuring thread."""
    wall_ns: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Interleaved:
    """What one interleaved run measured."""

    samples: Mapping[str, Samples]

    def median_us(self, name: str, clock: str = "cpu") -> float:
        """Median of one variant in microseconds; ``clock`` is ``cpu`` or ``wall``."""
        samples = self.samples[name]
        return statistics.median(samples.cpu_ns if clock == "cpu" else samples.wall_ns) / 1000.0

    def ratio(self, name: str, baseline: str, clock: str = "cpu") -> float:
        """Median of ``name`` divided by the median of ``baseline``."""
        return self.median_us(name, clock) / self.median_us(baseline, clock)

    def is_quiet(self, control: tuple[str, str], clock: str = "cpu") -> bool:
        """Whether two variants that do the same cost the same."""
        return abs(self.ratio(control[1], control[0], clock) - 1.0) <= CONTROL_TOLERANCE

    def table(self, baseline: str) -> str:
        """All variants with their medians and ratios to ``baseline``, as text."""
        width = max(len(name) for name in self.samples)
        lines = [f"{'':{width}}  {'cpu µs':>9}  {'ratio':>6}  {'wall µs':>9}  {'ratio':>6}"]
        for name in self.samples:
            cpu, wall = self.median_us(name), self.median_us(name, "wall")
            cpu_ratio, wall_ratio = self.ratio(name, baseline), self.ratio(name, baseline, "wall")
            lines.append(f"{name:{width}}  {cpu:9.1f}  {cpu_ratio:6.3f}  {wall:9.1f}  {wall_ratio:6.3f}")
        return "\n".join(lines)


def interleave(variants: Mapping[str, Run], *, rounds: int, warm_up: int = 20, seed: int | None = None) -> Interleaved:
    """Run every variant once a round, in a new random order each round, after ``warm_up`` rounds that do not count."""
    order = list(variants.items())
    rng = random.Random(seed)
    cpu: dict[str, list[int]] = {name: [] for name in variants}
    wall: dict[str, list[int]] = {name: [] for name in variants}
    gc.collect()
    for i in range(-warm_up, rounds):
        rng.shuffle(order)
        for name, run in order:
            wall_ns, cpu_ns = time.perf_counter_ns(), time.thread_time_ns()
            run()
            cpu_ns, wall_ns = time.thread_time_ns() - cpu_ns, time.perf_counter_ns() - wall_ns
            if i >= 0:
                cpu[name].append(cpu_ns)
                wall[name].append(wall_ns)
    return Interleaved({name: Samples(tuple(cpu[name]), tuple(wall[name])) for name in variants})


def interleave_quietly(
    variants: Mapping[str, Run],
    *,
    control: tuple[str, str],
    rounds: int,
    warm_up: int = 20,
    tries: int = 4,
    clock: str = "cpu",
) -> Interleaved:
    """The same, repeated up to ``tries`` times until the control agrees; the last run if it never does."""
    result = interleave(variants, rounds=rounds, warm_up=warm_up)
    for _ in range(tries - 1):
        if result.is_quiet(control, clock):
            break
        result = interleave(variants, rounds=rounds, warm_up=warm_up)
    return result
