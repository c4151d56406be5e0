"""Make training pairs by really encoding photographs with VVC without its loop filters.

    python train/prepare.py --images FOLDER --output pairs

For every image and QP the folder gets one ``.npz`` with the luma of the source (8 bit, ``source``)
and of the decoded picture (10 bit, ``decoded``). Finished files are kept, so a killed run resumes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from nnr.video.images import frame_from_rgb
from nnr.video.vvc import VvcSettings, decode, encode

DEFAULT_QPS = (22, 25, 27, 30, 32, 35, 37, 40, 42)


def prepare(image_path: Path, qp: int, preset: str, target: Path) -> None:
    source = frame_from_rgb(np.asarray(Image.open(image_path).convert("RGB")))
    settings = VvcSettings(qp, loop_filters="none", preset=preset)
    decoded = decode(encode([source], settings))[0]
    temporary = target.with_suffix(".part")
    with temporary.open("wb") as file:
        np.savez(file, source=source.y, decoded=decoded.y)
    temporary.replace(target)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, required=True, help="searched recursively for PNG")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--qp", type=int, nargs="+", default=DEFAULT_QPS)
    parser.add_argument("--preset", default="faster")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    images = sorted(options.images.rglob("*.png"))
    for number, image_path in enumerate(images, 1):
        for qp in options.qp:
            target = options.output / f"{image_path.parent.name}-{image_path.stem}-qp{qp}.npz"
            if not target.exists():
                prepare(image_path, qp, options.preset, target)
        print(f"{number}/{len(images)} {image_path.name}", flush=True)


if __name__ == "__main__":
    main()
