"""What several test files share: the levels of this CPU, the command, where large test data lies."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import nnr.cli

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_report_header() -> str:
    return f"nnr levels tested: {' '.join(nnr.cpu.targets())}; default {nnr.cpu.current_target()}"


@pytest.fixture(params=nnr.cpu.targets())
def target(request: pytest.FixtureRequest) -> Iterator[str]:
    """Runs the test once a level, and proves that it ran at that level."""
    with nnr.cpu.use_target(request.param):
        assert nnr.cpu.current_target() == request.param
        yield request.param


@pytest.fixture
def shared_data() -> Path:
    """The folder of photographs and clips beside the checkout; the test is skipped without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs the photographs and clips in {SHARED_DATA.name}/, which are not here")
    return SHARED_DATA


class Result(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Result]


@pytest.fixture
def nnr_command(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    def run(*arguments: str | Path) -> Result:
        monkeypatch.setattr(sys, "argv", ["nnr", *map(str, arguments)])
        with pytest.raises(SystemExit) as raised:
            nnr.cli.main()
        captured = capsys.readouterr()
        return Result(int(raised.value.code or 0), captured.out, captured.err)

    return run


@pytest.fixture
def filter_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with a model and inputs of every kind for ``nnr filter``."""
    from filter_cases import fill_working_folder

    monkeypatch.chdir(tmp_path)
    fill_working_folder()
    return tmp_path
