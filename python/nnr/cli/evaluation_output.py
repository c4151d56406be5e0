"""Where the outcome of an evaluation goes: tables or JSON to standard output, and files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import typer

from .output import print_json, write_json

if TYPE_CHECKING:
    from ..evaluation.html import Part
    from ..evaluation.tables import Table

_PAGES = (".html", ".htm")


class Report(Protocol):
    """What every use case of the evaluation returns."""

    def tables(self) -> list[Table]:
        """Return the tables, each with its number in its title."""

    def definitions(self) -> list[str]:
        """Return what the numbers mean."""

    def json_object(self) -> dict[str, Any]:
        """Return every value as plain JSON."""


@dataclass(frozen=True)
class UseCase:
    """A report, and what is made of it.

    Parameters
    ----------
    key, name : str
        What JSON and what people call it.
    report : Report
    curves : callable
        Makes its curves for CompressAI, by file name.
    part : callable
        Makes its part of the page.
    """

    key: str
    name: str
    report: Report
    curves: Callable[[], Mapping[str, dict[str, Any]]]
    part: Callable[[], Part]


def page_option() -> Any:
    """Return the option ``--report``."""
    return typer.Option(
        "--report",
        metavar="FILE.html",
        dir_okay=False,
        help="Write one page with pictures, charts and tables too.",
    )


def json_option() -> Any:
    """Return the option ``--json``."""
    return typer.Option(
        "--json",
        metavar="FILE",
        dir_okay=False,
        allow_dash=True,
        help="Write every value here too; - prints them instead of the tables.",
    )


def compressai_option() -> Any:
    """Return the option ``--compressai-json``."""
    return typer.Option(
        "--compressai-json",
        metavar="DIR",
        file_okay=False,
        help="Write a JSON file a curve here too, as CompressAI's plotting reads them.",
    )


@dataclass(frozen=True)
class EvaluationOutput:
    """The files that were asked for, each checked before anything is computed.

    Raises
    ------
    typer.BadParameter
        A file could not be written, or its name has the wrong extension.
    """

    page: Path | None
    json: Path | None
    compressai: Path | None

    def __post_init__(self) -> None:
        if self.page is not None and self.page.suffix.lower() not in _PAGES:
            raise typer.BadParameter(f"--report {self.page}: must end in {' or '.join(_PAGES)}")
        for option, path in (
            ("--report", self.page),
            ("--json", None if self.json_to_stdout else self.json),
            ("--compressai-json", self.compressai),
        ):
            if path is not None and not os.access(path.parent, os.W_OK):
                raise typer.BadParameter(
                    f"{option} {path}: its folder does not exist or is read-only"
                )

    def write(self, *use_cases: UseCase) -> None:
        """Print the tables, or JSON, and write the files."""
        if self.json_to_stdout:
            print_json(_json_object(use_cases))
        else:
            print(_markdown(use_cases))
            if self.json is not None:
                write_json(self.json, _json_object(use_cases))
        if self.compressai is not None:
            self.compressai.mkdir(exist_ok=True)
            for case in use_cases:
                for name, curve in case.curves().items():
                    write_json(self.compressai / f"{name}.json", curve)
        if self.page is not None:
            _write_page(self.page, use_cases)

    @property
    def json_to_stdout(self) -> bool:
        """Whether JSON stands in for the tables."""
        return self.json is not None and str(self.json) == "-"


def _json_object(use_cases: tuple[UseCase, ...]) -> dict[str, Any]:
    """One use case as it is; several by their keys."""
    objects = {case.key: case.report.json_object() for case in use_cases}
    return objects if len(objects) > 1 else next(iter(objects.values()))


def _markdown(use_cases: tuple[UseCase, ...]) -> str:
    from ..evaluation.tables import in_order, markdown

    tables = in_order(table for case in use_cases for table in case.report.tables())
    several = len(use_cases) > 1
    lists = {
        f"Definitions: {case.name}" if several else "Definitions": case.report.definitions()
        for case in use_cases
    }
    return markdown(tables, lists)


def _write_page(path: Path, use_cases: tuple[UseCase, ...]) -> None:
    from ..evaluation.html import report_page
    from ..files import atomic_write

    page = report_page([case.part() for case in use_cases])
    with atomic_write(path) as file:
        file.write(page.encode())
