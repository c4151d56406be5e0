"""NNC bitstreams, ISO/IEC 15938-17, beside NNCodec: time, memory, size at equal error.

python -m bench.nnc                  time and memory
python -m bench.nnc --curves FILE    how NNCodec's size goes with its error, as JSON
python -m bench.nnc --sizes FILE     our sizes beside those curves at the same error

The bitstreams are NNCodec's own, in `shared/data/nnc` beside the repository. Everything is compared
with them, or with what NNCodec makes of it, before it is timed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import nnr

from . import nnc_sizes, tables
from .comparison import progress
from .contestants import NAME, Contestant
from .threads import cores
from .timing import Timing, rotate

REPOSITORY = Path(__file__).resolve().parents[1]
DATA = REPOSITORY.parent / "shared" / "data" / "nnc"
NETWORKS = {"ResNet-56": "48_resnet56_default", "CNN": "50_cnn195k"}
SMALL_TENSORS = 2000
SMALL_SHAPE = (8, 8)
SECONDS = 6.0

PROCESS = Path("/proc/self")

Tensors = dict[str, NDArray[Any]]
Result = dict[str, Any]


class MissingError(Exception):
    """What is needed to compare is not here."""


def peer() -> ModuleType:
    try:
        from .peers import nncodec
    except ImportError as error:
        raise MissingError(f"NNCodec cannot be imported: {error}") from error
    return nncodec


@dataclass(frozen=True)
class Network:
    """Tensors, the bitstream that NNCodec makes of them and what it decodes that to."""

    title: str
    tensors: Tensors
    settings: dict[str, Any]  # NNCodec's
    data: bytes
    decoded: Tensors

    @property
    def nbytes(self) -> int:
        return sum(tensor.nbytes for tensor in self.tensors.values())


def networks() -> list[Network]:
    return [_from_file(title, case) for title, case in NETWORKS.items()]


def _from_file(title: str, case: str) -> Network:
    path = DATA / f"{case}.nnc"
    if not path.exists():
        raise MissingError(
            f"there is no {path.relative_to(REPOSITORY.parent)} beside the repository"
        )
    settings = json.loads(path.with_suffix(".json").read_text())["settings"]
    del settings["api"]
    tensors, decoded = (_arrays(path.with_suffix(suffix)) for suffix in (".in.npz", ".npz"))
    return Network(title, tensors, settings, path.read_bytes(), decoded)


def _arrays(path: Path) -> Tensors:
    with np.load(path) as arrays:
        return {str(name): arrays[f"a{i}"] for i, name in enumerate(arrays["names"])}


def many_small(count: int = SMALL_TENSORS) -> Network:
    """As NNCodec codes them, so that there is something to compare with."""
    normal = np.random.default_rng(1).standard_normal
    tensors = {f"layer{i}.weight": normal(SMALL_SHAPE, np.float32) / 8 for i in range(count)}
    settings = {"qp": -32, "row_skipping": True}
    nncodec = peer()
    data = nncodec.encode(tensors, **settings)
    decoded = nncodec.decode(bytearray(data))
    return Network(f"{count:,} of 8 x 8", tensors, settings, data, decoded)


Work = Callable[[Network], list[Contestant]]


def decoding(network: Network) -> list[Contestant]:
    nncodec, data = peer(), bytearray(network.data)

    def equal(result: Mapping[str, NDArray[Any]]) -> None:
        assert list(result) == list(network.decoded), network.title
        equal_values(list(result.values()))

    def equal_values(values: Sequence[NDArray[Any]]) -> None:
        for got, wanted in zip(values, network.decoded.values(), strict=True):
            assert got.dtype == wanted.dtype, network.title
            assert np.array_equal(got, wanted), network.title

    engine = nncodec.decoding_engine(data)
    theirs = [
        Contestant(nncodec.NAME, "its engine alone", engine.run, equal_values),
        Contestant(nncodec.NAME, "decompress", partial(nncodec.decode, data), equal),
    ]
    return theirs + [
        Contestant(
            NAME,
            f"decode(threads={threads})",
            partial(_decode, network.data, threads),
            equal,
        )
        for threads in (1, 2)[: cores()]
    ]


def _decode(data: bytes, threads: int | None = None) -> Tensors:
    return nnr.decode(data, threads=threads).tensors


def encoding(network: Network) -> list[Contestant]:
    nncodec = peer()

    def equal(result: bytes) -> None:
        assert bytes(result) == network.data, network.title

    def contained(payloads: Sequence[NDArray[np.uint8]]) -> None:
        assert len(payloads) == len(network.tensors)
        at = 0
        for payload in payloads:
            at = network.data.find(bytes(payload), at)
            assert at >= 0, network.title

    engine = nncodec.encoding_engine(network.tensors, **network.settings)
    compress = partial(nncodec.encode, network.tensors, **network.settings)
    ours = {"qp": network.settings["qp"], "profile": "nncodec"}
    theirs = [
        Contestant(nncodec.NAME, "its engine alone", engine.run, contained),
        Contestant(nncodec.NAME, "compress", compress, equal),
    ]
    return theirs + [
        Contestant(
            NAME,
            f"encode(threads={threads})",
            partial(nnr.encode, network.tensors, **ours, threads=threads),
            equal,
        )
        for threads in (1, 2)[: cores()]
    ]


def measure(seconds: float) -> list[Result]:
    """Decoding and encoding of each network, *seconds* each, all in one process."""
    inputs = [*networks(), many_small()]
    todo = [(work, network) for network in inputs for work in (decoding, encoding)]
    return [
        compare(work.__name__, network, work(network), seconds)
        for work, network in progress(todo, lambda item: f"{item[0].__name__} {item[1].title}")
    ]


def compare(work: str, network: Network, entrants: Sequence[Contestant], seconds: float) -> Result:
    for entrant in entrants:
        entrant.check(entrant.run())
    timings = rotate(entrants, seconds)
    pairs = list(zip(entrants, timings, strict=True))
    return {
        "work": work,
        "network": network.title,
        "bytes": network.nbytes,
        "seconds": {_name(entrant): timing.median for entrant, timing in pairs},
        "min seconds": {_name(entrant): timing.minimum for entrant, timing in pairs},
        "rounds": len(timings[0].seconds),
        "ratios": _ratios(pairs),
    }


def _name(entrant: Contestant) -> str:
    return f"{entrant.library}: {entrant.call}"


def _ratios(pairs: Sequence[tuple[Contestant, Timing]]) -> dict[str, dict[str, float]]:
    """How many times faster than each of NNCodec's rows each of ours is, by the median."""
    ours = [pair for pair in pairs if pair[0].library == NAME]
    others = [pair for pair in pairs if pair[0].library != NAME]
    return {
        entrant.call: {other.call: theirs.median / timing.median for other, theirs in others}
        for entrant, timing in ours
    }


def measure_memory() -> dict[str, dict[str, dict[str, int]]]:
    """By network and library, bytes: the process at its peak, and by how much decoding grew it."""
    return {
        title: {library: _decode_in_a_process(library, case) for library in (NAME, "nncodec")}
        for title, case in NETWORKS.items()
    }


def _decode_in_a_process(library: str, case: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.nnc", "--peak", library, str(DATA / f"{case}.nnc")],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    return dict(json.loads(done.stdout))


def peak(library: str, path: Path) -> dict[str, int]:
    """What the kernel says of this process, which must have done nothing but import."""
    data = path.read_bytes()
    decode = partial(_decode, data) if library == NAME else partial(peer().decode, bytearray(data))
    (PROCESS / "clear_refs").write_text("5")  # the peak starts anew
    before = _status("VmRSS")
    decoded = decode()
    highest = _status("VmHWM")
    result = sum(tensor.nbytes for tensor in decoded.values())
    return {"peak": highest, "grown": highest - before, "result": result}


def _status(field: str) -> int:
    for line in (PROCESS / "status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise RuntimeError(f"the kernel does not tell {field}")


def markdown(results: Sequence[Result], memory: Mapping[str, Any]) -> str:
    rows = []
    for result in results:
        for name, seconds in result["seconds"].items():
            ratios = result["ratios"].get(name.removeprefix(f"{NAME}: "), {})
            against = [f"{ratio:.2f}" for ratio in ratios.values()] or ["", ""]
            where = [result["work"], result["network"], name]
            rows.append([*where, f"{seconds * 1e3:.1f}", *against])
    head = ["work", "tensors", "by", "ms, median", "÷ its engine", "÷ all of NNCodec"]
    spent = [
        [title, library, *(f"{of_library[key] / 2**20:.1f}" for key in ("peak", "grown", "result"))]
        for title, by_library in memory.items()
        for library, of_library in by_library.items()
    ]
    heads = ["decoding", "by", "peak, MB", "grown by, MB", "result, MB"]
    return f"{tables.table(head, rows, names=3)}\n\n{tables.table(heads, spent, names=2)}"


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench.nnc",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for each work")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers there")
    parser.add_argument("--curves", type=Path, metavar="FILE", help="write the curves there")
    parser.add_argument("--sizes", type=Path, metavar="FILE", help="read the curves from there")
    parser.add_argument("--peak", nargs=2, metavar=("LIBRARY", "FILE"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    try:
        _run(arguments)
    except MissingError as missing:
        sys.exit(f"nothing to compare: {missing}")


def _run(arguments: argparse.Namespace) -> None:
    if arguments.peak:
        library, path = arguments.peak
        print(json.dumps(peak(library, Path(path))))
    elif arguments.sizes:
        curves = json.loads(arguments.sizes.read_text())
        print(nnc_sizes.table(networks(), [nnc_sizes.Point(**each) for each in curves]))
    elif arguments.curves:
        points = [each for network in networks() for each in nnc_sizes.peer_curve(network)]
        arguments.curves.write_text(json.dumps([asdict(each) for each in points], indent=1) + "\n")
    else:
        results, memory = measure(arguments.seconds), measure_memory()
        if arguments.json:
            numbers = {"time": results, "memory": memory}
            arguments.json.write_text(json.dumps(numbers, indent=1) + "\n")
        print(markdown(results, memory))


if __name__ == "__main__":
    main()
