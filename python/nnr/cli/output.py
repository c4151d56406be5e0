"""What the commands print: tables for people, JSON for programs, a bar for those who wait."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from .._json import plain_json

# Work that ends sooner needs no bar.
_QUIET_SECONDS = 2.0
# Tables keep their columns when they go to a file or a pipe, which has no width of its own.
_PIPE_WIDTH = 160


def print_json(value: Any) -> None:
    """Print *value* as JSON to standard output; NumPy numbers are numbers, NaN is null."""
    print(json.dumps(plain_json(value), indent=2, allow_nan=False))


def console(*, stderr: bool = False) -> Console:
    """Return a console of standard output, or of standard error."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    # Text is printed as it is: tensor names may hold brackets, and digits need no colours.
    return Console(stderr=stderr, width=width, markup=False, highlight=False, emoji=False)


def table(*columns: str, title: str | None = None, text: Sequence[str] = ()) -> Table:
    """Return an empty table; the first column and those named by *text* hold text, not numbers."""
    empty = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for index, column in enumerate(columns):
        justify: Literal["left", "right"] = "left" if index == 0 or column in text else "right"
        empty.add_column(column, justify=justify, overflow="fold")
    return empty


@contextmanager
def progress(description: str, total: int) -> Iterator[Callable[[str], None]]:
    """Show a bar on standard error once the work takes long; nothing if that is no terminal.

    Yields a function to call when one of the *total* steps is done, with a word on that step.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
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
        bar.update(task, advance=1, step=step)

    try:
        yield advance
    finally:
        # Stopping a bar that was never shown would print an empty line.
        if bar.live.is_started:
            bar.stop()
