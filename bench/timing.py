"""Times several things side by side, so that whatever disturbs the machine disturbs them all."""

from __future__ import annotations

import gc
import itertools
import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

# A batch this long makes the clock's own cost, some 50 ns, less than a thousandth.
BATCH_SECONDS = 0.5e-3
MIN_ROUNDS = 5


class Timed(Protocol):
    """What can be timed: a call, which may do its work several times over by itself."""

    @property
    def run(self) -> Callable[[], object]: ...
    @property
    def passes(self) -> int: ...


@dataclass(frozen=True)
class Timing:
    """Seconds that the work took once, one value a round."""

    seconds: tuple[float, ...]

    @property
    def minimum(self) -> float:
        return min(self.seconds)

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)


def rotate(contestants: Sequence[Timed], seconds: float, *, pause: float = 0.0) -> list[Timing]:
    """Time all in rounds, each once a round, until *seconds* and `MIN_ROUNDS` have passed.

    The order is drawn anew each round, always the same way, so that nobody always runs after the
    one who emptied the caches. A *pause* of seconds before each lets the threads of the one before
    go to sleep, which some libraries keep waiting in a loop for their next call.
    """
    batches = [_calls_a_batch(contestant) for contestant in contestants]
    order = list(range(len(contestants)))
    shuffle = random.Random(1).shuffle
    taken: list[list[float]] = [[] for _ in contestants]
    with _no_garbage_collection():
        end = time.perf_counter() + seconds
        while len(taken[0]) < MIN_ROUNDS or time.perf_counter() < end:
            shuffle(order)
            for i in order:
                calls = batches[i]
                if pause:
                    time.sleep(pause)
                elapsed = _time(contestants[i].run, calls)
                taken[i].append(elapsed / (calls * contestants[i].passes))
    return [Timing(tuple(times)) for times in taken]


def _calls_a_batch(contestant: Timed) -> int:
    contestant.run()  # what is slow only the first time is not measured
    calls = 1
    while (elapsed := _time(contestant.run, calls)) < BATCH_SECONDS:
        calls = max(2 * calls, int(calls * BATCH_SECONDS / max(elapsed, 1e-9)))
    return calls


def _time(run: Callable[[], object], calls: int) -> float:
    repetitions = itertools.repeat(None, calls)
    start = time.perf_counter()
    for _ in repetitions:
        run()
    return time.perf_counter() - start


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
