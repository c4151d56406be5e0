"""The part of a document that a benchmark writes."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Marks:
    """The lines before and after it, each of which the document holds once."""

    begin: str
    end: str

    def check(self, document: Path) -> None:
        text = document.read_text()
        begin, end = self.begin, self.end
        if text.count(begin) != 1 or text.count(end) != 1 or text.index(begin) > text.index(end):
            sys.exit(f"{document} must hold, once each and in this order, {begin} and {end}")

    def replace(self, document: Path, generated: str) -> None:
        """Replace what lies between the marks, and nothing else."""
        self.check(document)
        before, _, rest = document.read_text().partition(self.begin)
        _, _, after = rest.partition(self.end)
        document.write_text(f"{before}{self.begin}\n\n{generated}\n\n{self.end}{after}")
