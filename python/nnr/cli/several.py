"""Options that take several values one after the other."""

from __future__ import annotations

import re
from typing import Any

from typer.core import TyperCommand


class SeveralQps(TyperCommand):
    """Take ``--qp 32 37`` for ``--qp 32 --qp 37``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat the option before every number that follows its first value."""
        repeated: list[str] = []
        values = 0
        for argument in args:
            if argument == "--qp":
                values = 1
            elif values == 1 or (values and re.fullmatch(r"-?\d+", argument)):
                repeated += ["--qp"] if values > 1 else []
                values += 1
            else:
                values = 0
            repeated.append(argument)
        return super().parse_args(ctx, repeated)
