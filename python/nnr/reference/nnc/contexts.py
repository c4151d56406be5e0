"""The probability model: adaptive contexts, and how a tensor's contexts are numbered."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Steps of a tracker, by how far it is to the side that the bin moves it towards.
STEP = (
    *(2512, 2288, 2064, 1840, 1616, 1392, 1168, 944, 720, 560, 464, 368, 272, 208, 144, 80),
    *(64,) * 15,
    0,
)

# The nine start configurations that a context id chooses from: shift of the fast tracker, shift of
# the slow one, joint state, fast tracker.
START_CONFIGURATIONS = (
    (5, 4, 0, 0),
    (5, 4, -1310, -41),
    (5, 4, 3039, 95),
    (4, 5, 0, 0),
    (6, 6, 962, 30),
    (6, 6, 3039, 95),
    (6, 6, -673, -21),
    (7, 5, 0, 0),
    (7, 5, 962, 30),
)

# Width of the less probable bin, by how sure the context is; `Context.lps_width` scales it.
_LPS_BASE = (
    *(228, 200, 174, 150, 132, 116, 102, 90, 80, 70, 62, 54, 48, 42, 36, 32),
    *(28, 26, 22, 20, 18, 16, 14, 14, 10, 10, 8, 8, 6, 6, 4, 4),
)

# The most ones in the prefix of the remainder of a level; each position has its own context.
MAX_PREFIX_LENGTH = 31


class Context:
    """One adaptive context: two trackers of the probability of a one.

    Parameters
    ----------
    context_id : int
        Which start configuration it has, 0 to 8 (shift_parameter_id).
    """

    __slots__ = ("a", "b", "context_id", "shift_a", "shift_b")

    def __init__(self, context_id: int = 0) -> None:
        self.start(context_id)

    def start(self, context_id: int) -> None:
        """Sets the shifts and the state to those of a start configuration."""
        self.context_id = context_id
        self.shift_a, self.shift_b, state, self.a = START_CONFIGURATIONS[context_id]
        self.b = state - 16 * self.a

    @property
    def state(self) -> int:
        """The joint state; a one is the more probable bin where it is not negative."""
        return self.b + 16 * self.a

    def lps_width(self, coding_range: int) -> int:
        """How much of *coding_range* (256 to 511) the less probable bin takes."""
        return _LPS_BASE[abs(self.state >> 7)] * (9 + (coding_range >> 5 & 7)) >> 4

    def update(self, value: int) -> None:
        """Moves both trackers towards the bin *value* that was coded."""
        if value:
            self.a += STEP[16 + (self.a >> 3)] >> self.shift_a
            self.b += STEP[16 + (self.b >> 7)] >> self.shift_b
        else:
            self.a -= STEP[16 + (-self.a >> 3)] >> self.shift_a
            self.b -= STEP[16 + (-self.b >> 7)] >> self.shift_b


def _cost_table() -> tuple[tuple[int, int], ...]:
    """What a zero and a one cost, in units of 2**-15 bits, by 512 + (state >> 3)."""
    table = []
    for k in range(-512, 512):
        lps = 32768 + 400.79895 * (min(abs(k), 511) + 0.5)
        mps = -32768 * math.log2(1 - 2 ** (-lps / 32768))
        table.append((round(lps), round(mps)) if k >= 0 else (round(mps), round(lps)))
    return tuple(table)


COST = _cost_table()
COST_OF_A_BYPASS_BIN = 1 << 15


@dataclass(frozen=True)
class ContextLayout:
    """The numbers of the contexts of one tensor.

    Parameters
    ----------
    unary_length : int
        How many greater-than flags a level has: cabac_unary_length_minus1 + 1.
    """

    unary_length: int

    significance = 0  # 3 a trellis state
    significance_with_base = 24  # 2 a state
    significance_with_history = 40  # 1 a state
    sign = 48  # 3
    sign_with_base = 51  # 2
    greater = 53  # 2 a flag

    @property
    def greater_with_base(self) -> int:
        """The first of 2 a flag."""
        return self.greater + 2 * self.unary_length

    @property
    def prefix(self) -> int:
        """The first of one a prefix position."""
        return self.greater + 4 * self.unary_length

    @property
    def context_id_flag(self) -> int:
        """Whether a context has another id than 0."""
        return self.prefix + 34

    @property
    def row_skip(self) -> int:
        """Whether a row is skipped."""
        return self.prefix + 36

    @property
    def size(self) -> int:
        """How many contexts there are."""
        return self.prefix + 37
