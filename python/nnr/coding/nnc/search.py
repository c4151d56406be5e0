"""The search for the largest number of which something still holds."""

from __future__ import annotations

from collections.abc import Callable

# Of predictions; after these, the middle.
_PREDICTIONS = 8


def largest(
    measure: Callable[[int], float],
    limit: float,
    predict: Callable[[int, float], int],
    start: int,
    bounds: tuple[int, int],
) -> int | None:
    """Return the largest number whose measure is not above *limit*; None if there is none.

    Of all that are measured and not above it, it is the last.

    Parameters
    ----------
    measure : callable
        Grows with its argument, but for small disorder.
    limit : float
    predict : callable
        From a number and its measure to where the limit may be reached.
    start : int
        Where to begin.
    bounds : (int, int)
        The first and the last number to consider.

    Examples
    --------
    >>> largest(lambda x: x * x, 50, lambda x, y: x + 1, 2, (0, 100))
    7
    """
    first, last = bounds
    good, bad = first - 1, last + 1
    number, tries = min(max(start, first), last), 0
    while bad - good > 1:
        measured = measure(number)
        if measured <= limit:
            good = number
        else:
            bad = number
        tries += 1
        number = predict(number, measured) if tries < _PREDICTIONS else (good + bad) // 2
        number = min(max(number, good + 1), bad - 1)
    return good if good >= first else None
