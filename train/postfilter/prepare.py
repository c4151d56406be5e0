"""Make training pairs by really encoding photographs with VVC without its loop filters.

    python train/postfilter/prepare.py --images FOLDER --output pairs

For every image and QP the folder gets one ``.npz`` with the planes of the source (8 bit) and of the
decoded picture (10 bit). Finished files are kept, so a killed run resumes.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from nnr.video.images import frame_from_rgb
from nnr.video.vvc import VvcSettings, decode, encode

QP_RANGE = (20, 44)
QPS_AN_IMAGE = 5


@dataclass(frozen=True)
class Job:
    image: Path
    qp: int
    preset: str
    target: Path

    def run(self) -> None:
        source = frame_from_rgb(np.asarray(Image.open(self.image).convert("RGB")))
        settings = VvcSettings(self.qp, loop_filters="none", preset=self.preset)
        decoded = decode(encode([source], settings, threads=1))[0]
        planes = {name: getattr(source, name) for name in "yuv"}
        planes |= {f"decoded_{name}": getattr(decoded, name) for name in "yuv"}
        temporary = self.target.with_suffix(".part")
        with temporary.open("wb") as file:
            np.savez(file, **planes)
        temporary.replace(self.target)


def drawn_qps(image_number: int) -> list[int]:
    """One QP out of each fifth of the range, others for every image: all QPs occur alike."""
    random = np.random.default_rng(image_number)
    edges = np.linspace(QP_RANGE[0], QP_RANGE[1] + 1, QPS_AN_IMAGE + 1).astype(int)
    return [int(random.integers(*span)) for span in pairwise(edges)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="searched recursively for PNG")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--qp", type=int, nargs="+", help="for all; default: five drawn an image")
    parser.add_argument("--preset", nargs="+", default=["faster", "fast"], help="taken in turns")
    parser.add_argument("--every", type=int, default=1, help="take every n-th image")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    jobs = []
    for number, image in enumerate(sorted(options.images.rglob("*.png"))[:: options.every]):
        for qp in options.qp or drawn_qps(number):
            target = options.output / f"{image.parent.name}-{image.stem}-qp{qp}.npz"
            preset = options.preset[(number + qp) % len(options.preset)]
            jobs.append(Job(image, qp, preset, target))
    missing = [job for job in jobs if not job.target.exists()]
    with ProcessPoolExecutor(options.processes) as pool:
        for number, _ in enumerate(pool.map(Job.run, missing), 1):
            print(f"\r{number}/{len(missing)}", end="", flush=True)


if __name__ == "__main__":
    main()
