"""How nnr compares with each installed peer: python -m bench.peers [--quick]."""

from __future__ import annotations

import argparse

from .. import comparison, peers
from ..cases import COMPARED
from ..plan import FULL, QUICK


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less time, and no 64 MB")
    plan = QUICK if parser.parse_args().quick else FULL
    for name, version in peers.versions().items():
        print(f"{name} {version}")
    print("\nnnr's speed over the fastest peer's: by minimum, by median\n")
    for work in COMPARED:
        for size in plan.sizes:
            for ratio in comparison.compare(work, size, plan.case_seconds)["ratios"]:
                where = f"{work.title}, {size}"
                output = f"{ratio['output']} output" if ratio["output"] else ""
                factors = f"{ratio['min']:6.2f} {ratio['median']:6.2f}"
                print(f"{where:45}{output:15}{factors}  {ratio['peer']}", flush=True)


if __name__ == "__main__":
    main()
