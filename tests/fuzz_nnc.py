"""``nnr.decode`` under atheris: any outcome but a model or a BitstreamError is a failure.

    pip install atheris
    python tests/fuzz_nnc.py found/ cpp/checks/nnc_corpus/ -max_len=4096 -max_total_time=600
    python tests/fuzz_nnc.py seeds FOLDER     # what nnr.encode makes, to begin from

What is found is added to the first folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["nnr"]):
    import nnr

from nnc_any_bytes import check_bytes, first_step, write_seeds

BASE: nnr.Model = first_step()


def check(data: bytes) -> None:
    check_bytes(data)
    check_bytes(data, BASE)


if __name__ == "__main__":
    if sys.argv[1:2] == ["seeds"]:
        write_seeds(Path(sys.argv[2]))
    else:
        atheris.Setup(sys.argv, check)
        atheris.Fuzz()
