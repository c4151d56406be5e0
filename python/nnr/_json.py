"""Values of this package as JSON has them."""

from __future__ import annotations

import math
from typing import Any


def plain_json(value: Any) -> Any:
    """The same with lists for tuples and arrays, and null for NaN and the infinities.

    Examples
    --------
    >>> plain_json({"psnr": (float("inf"), np.float32(1.5))})
    {'psnr': [None, 1.5]}
    """
    if isinstance(value, dict):
        return {str(key): plain_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(item) for item in value]
    if hasattr(value, "tolist"):
        return plain_json(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
