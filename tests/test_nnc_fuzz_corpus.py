"""The inputs that the fuzzers have found so far, through ``nnr.decode``."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from nnc_any_bytes import check_bytes, first_step

import nnr

CORPUS = Path(__file__).resolve().parents[1] / "cpp" / "checks" / "nnc_corpus"
FAMILIES = sorted({path.name.partition("-")[0] for path in CORPUS.iterdir() if not path.suffix})


@cache
def base() -> nnr.Model:
    return first_step()


@pytest.mark.parametrize("family", FAMILIES)
def test_any_bytes_are_a_model_or_a_bitstream_error(family: str) -> None:
    for path in sorted(CORPUS.glob(f"{family}-*")):
        data = path.read_bytes()
        try:
            check_bytes(data)
            check_bytes(data, base())
        except BaseException as error:
            error.add_note(path.name)
            raise
