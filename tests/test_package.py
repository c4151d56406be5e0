"""The package as a whole: what importing it costs, its documentation, its stub, its version."""

from __future__ import annotations

import ast
import doctest
import importlib
import importlib.metadata
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nnr

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(nnr.__path__, "nnr.")
    if module.name != "nnr._core"  # native, and documented by the package
)
# Only the command line, PyTorch files and the like need these; `import nnr` must not.
HEAVY = ("typer", "rich", "torch", "onnx", "av", "matplotlib", "PIL", "skimage", "imageio_ffmpeg")


def test_import_is_light() -> None:
    code = f"import sys, nnr; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    module = importlib.import_module(name)
    finder, runner = doctest.DocTestFinder(), doctest.DocTestRunner()
    for test in finder.find(module, globs={**vars(module), "nnr": nnr, "np": np}):
        runner.run(test)
    assert runner.failures == 0


@pytest.mark.parametrize("name", [name for name in nnr.__all__ if not name.startswith("_")])
def test_public_names_are_documented(name: str) -> None:
    public = getattr(nnr, name)
    documentation = inspect.getdoc(public)
    assert documentation
    if inspect.isfunction(public):
        for section in ("Parameters", "Returns", "Examples"):
            assert f"{section}\n---" in documentation, f"{name} has no section {section}"


def test_stub_lists_what_the_extension_has() -> None:
    path = Path(nnr.__file__).with_name("_core.pyi")
    names = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
    native = {name for name in dir(nnr._core) if not name.startswith("_")}
    assert native == {name for name in names if not name.startswith("_")}


def test_version_is_the_same_everywhere() -> None:
    assert nnr.__version__ == nnr._core.version == importlib.metadata.version("nnr")
