"""What the commands print: tables for people, JSON for programs, a bar for those who wait."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from .._json import plain_json
from ..files import atomic_write

# Work that ends sooner needs no bar.
_QUIET_SECONDS = 2.0
# Tables keep their columns when they go to a file or a pipe, which has no width of its own.
_PIPE_WIDTH = 160
# Text folds as far as the first width if that makes a table fit, otherwise to the second.
_NARROW_TEXT = 16
_WIDE_TEXT = 60
# More than any table takes.
_UNBOUNDED = 100_000


def print_json(value: Any) -> None:
    """Print *value* as JSON to standard output; NumPy numbers are numbers, NaN is null."""
    print(_json_text(value))


def write_json(path: Path, value: Any) -> None:
    """Write to a file what `print_json` prints, complete or not at all."""
    with atomic_write(path) as file:
        file.write(_json_text(value).encode() + b"\n")


def _json_text(value: Any) -> str:
    return json.dumps(plain_json(value), indent=2, allow_nan=False)


def console(*, stderr: bool = False) -> Console:
    """Return a console of standard output, or of standard error."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    # Text is printed as it is: tensor names may hold brackets, and digits need no colours.
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def escaped(text: str) -> str:
    """Return *text* with what a terminal might obey spelled out, as `repr` does."""
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in text
    )


def table(*columns: str, title: str | None = None, text: Sequence[str] = ()) -> Table:
    """Return an empty table; the first column and those named by *text* hold text, not numbers."""
    empty = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        is_text = index == 0 or column in text
        justify: Literal["left", "right"] = "left" if is_text else "right"
        empty.add_column(column, justify=justify, overflow="fold", no_wrap=not is_text)
    return empty


def print_table(rows: Table) -> None:
    """Print a table; where it cannot fit, the terminal breaks its lines, and no number."""
    out = console()
    if _folded_width(rows, _NARROW_TEXT) <= out.width:
        _fold(rows, None)
    else:
        out.width = _folded_width(rows, _WIDE_TEXT)
    out.print(rows)


def _folded_width(rows: Table, text_width: int) -> int:
    """Fold the text of a table to *text_width* and return how wide the whole is."""
    _fold(rows, text_width)
    unbounded = console()
    unbounded.width = _UNBOUNDED
    return unbounded.measure(rows).maximum


def _fold(rows: Table, text_width: int | None) -> None:
    for column in rows.columns:
        column.max_width = None if column.no_wrap else text_width


class _RateColumn(ProgressColumn):
    """How many steps a second are done."""

    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        """Return the text of the column; none before it is known."""
        speed = task.finished_speed or task.speed
        if speed is None:
            return Text("")
        return Text(f"{speed:.{0 if speed >= 10 else 2}f} {self._unit} a second")


@contextmanager
def progress(
    description: str, total: int, *, unit: str | None = None
) -> Iterator[Callable[[str], None]]:
    """Show a bar on standard error once the work takes long; nothing if that is no terminal.

    With *unit*, the plural of what a step is, it also shows how many of them are done a second.
    Yields a function to call when one of the *total* steps is done, with a word on that step.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        *([_RateColumn(unit)] if unit else []),
        TextColumn("{task.fields[step]}", markup=False),
        console=console(stderr=True),
        transient=True,
    )
    task = bar.add_task(description, total=total, step="")
    is_terminal = sys.stderr.isatty()
    start = time.monotonic()

    def advance(step: str) -> None:
        if is_terminal and time.monotonic() - start > _QUIET_SECONDS:
            bar.start()
        bar.update(task, advance=1, step=escaped(step))

    try:
        yield advance
    finally:
        # Stopping a bar that was never shown would print an empty line.
        if bar.live.is_started:
            bar.stop()
