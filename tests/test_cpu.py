"""Choosing a level: by context manager, by call, by environment variable, and the errors."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

import nnr


def _run_with_target(name: str) -> subprocess.CompletedProcess[str]:
    code = "import nnr; print(nnr.cpu.current_target())"
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "NNR_TARGET": name},
        capture_output=True,
        text=True,
        check=False,
    )


def test_levels_climb_from_scalar() -> None:
    assert nnr.cpu.targets()[0] == "scalar"
    assert set(nnr.cpu.targets()) <= set(nnr.cpu.compiled_targets())
    assert nnr.cpu.current_target() in nnr.cpu.targets()


def test_use_target_as_context_manager_restores() -> None:
    before = nnr.cpu.current_target()
    with nnr.cpu.use_target("scalar"):
        assert nnr.cpu.current_target() == "scalar"
    assert nnr.cpu.current_target() == before


def test_use_target_as_call_stays() -> None:
    before = nnr.cpu.current_target()
    nnr.cpu.use_target("scalar")
    assert nnr.cpu.current_target() == "scalar"
    nnr.cpu.use_target(before)


def test_unknown_target_is_named() -> None:
    with pytest.raises(ValueError, match="'sse9' is unknown; there are scalar"):
        nnr.cpu.use_target("sse9")


def test_target_that_is_no_name() -> None:
    with pytest.raises(TypeError, match="target must be a str, got int"):
        nnr.cpu.use_target(5)  # type: ignore[arg-type]


def test_target_of_another_machine_is_an_error() -> None:
    foreign = "avx2" if "neon" in nnr.cpu.targets() else "neon"
    with pytest.raises(ValueError, match=foreign):
        nnr.cpu.use_target(foreign)


@pytest.mark.parametrize("name", nnr.cpu.targets())
def test_environment_variable_takes_effect(name: str) -> None:
    done = _run_with_target(name)
    assert done.stdout.strip() == name, done.stderr


def test_environment_variable_with_unknown_name() -> None:
    done = _run_with_target("mmx")
    assert done.returncode != 0
    assert "NNR_TARGET: target 'mmx' is unknown" in done.stderr


def test_show_config_names_everything(capsys: pytest.CaptureFixture[str]) -> None:
    nnr.cpu.show_config()
    shown = capsys.readouterr().out
    for expected in (nnr.__version__, "compiler", "-ffp-contract=off", nnr.cpu.current_target()):
        assert expected in shown
    assert " ".join(nnr.cpu.compiled_targets()) in shown
