"""Print a code block of the README, so that what is documented is what is run.

    python3 .ci/readme.py evaluate

A block is named by a comment on the line before it: ``<!-- block: evaluate -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"


def block(name: str) -> str:
    pattern = rf"<!-- block: {re.escape(name)} -->\n```\w+\n(.*?)```"
    match = re.search(pattern, README.read_text(encoding="utf-8"), re.DOTALL)
    if match is None:
        raise SystemExit(f"README.md has no block named {name}")
    return match.group(1)


if __name__ == "__main__":
    print(block(sys.argv[1]), end="")
