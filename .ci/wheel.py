"""Check a wheel: its size without the network weights, and what importing it costs.

python .ci/wheel.py dist/nnr-*.whl
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

MAX_BYTES = 3_000_000
MAX_IMPORT_MS = 150
HEAVY = ("typer", "rich", "torch", "onnx", "av", "matplotlib", "PIL", "skimage")

IMPORT = f"""
import sys, time
started = time.perf_counter()
import nnr
milliseconds = (time.perf_counter() - started) * 1000
heavy = [name for name in {HEAVY!r} if name in sys.modules]
print(milliseconds, *heavy)
"""


def main(path: Path) -> None:
    with zipfile.ZipFile(path) as wheel:
        size = sum(
            entry.compress_size for entry in wheel.infolist() if "/weights/" not in entry.filename
        )
    print(f"{path.name}: {size:,} bytes without network weights")
    if size > MAX_BYTES:
        raise SystemExit(f"more than {MAX_BYTES:,} bytes")

    # The fastest of several: the first ones fill the file cache.
    runs = [
        subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
        for _ in range(5)
    ]
    results = [run.stdout.split() for run in runs]
    milliseconds = min(float(result[0]) for result in results)
    print(f"import nnr: {milliseconds:.0f} ms, numpy included")
    if results[0][1:]:
        raise SystemExit(f"import nnr also imports {', '.join(results[0][1:])}")
    if milliseconds > MAX_IMPORT_MS:
        raise SystemExit(f"more than {MAX_IMPORT_MS} ms")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
