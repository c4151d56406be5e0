"""What `bench.network` measured, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from .contestants import NAME
from .tables import Rows, rate, table

Results = dict[str, Any]


def markdown(results: Results, picture_name: str = "") -> str:
    sections = [
        _head(results, picture_name),
        *(_network(results, title) for title in _unique(r["network"] for r in results["speed"])),
        _accuracy(results),
        _memory(results["memory"]),
        _startup(results),
        _machine(results),
    ]
    return "\n\n".join(sections)


def _head(results: Results, picture_name: str) -> str:
    shown = f"\n\n![GFLOP/s against frame size]({picture_name})" if picture_name else ""
    described = "\n".join(
        f"- **{title}**: {of_network['what']}; {of_network['weights']:,} weights"
        for title, of_network in results["networks"].items()
    )
    return f"""## Networks beside general engines
`{results["command"]}`, {results["machine"]["date"]}, nnr at level {results["level"]}. All engines run
in one process in drawn order, {results["case seconds"]:g} seconds and at least five rounds a network and
size; medians. GFLOP/s are the products and sums of the convolutions computed directly over the time,
so that an engine that needs fewer (Winograd) may exceed the peak, which is measured in registers.

Every model has its size written into it; inputs and outputs are float32 and, where the engine allows,
memory that is there before. The int8 model of onnxruntime and OpenVINO is the same: quantised by
onnxruntime (QDQ, a scale an output channel) after a look at four pictures. ncnn computes in float32 with
Winograd. Before they were timed, fp32 engines were within 1e-4 of float64, bf16 and int8 within 3 and
10 % of the result's deviation.

{described}{shown}"""


def _network(results: Results, title: str) -> str:
    of_network = [result for result in results["speed"] if result["network"] == title]
    skipped = {name: why for result in of_network for name, why in result["skipped"].items()}
    parts = [f"### {title.capitalize()}", "GFLOP/s:", _speeds(of_network, results["peaks"])]
    if any(result["ratios"] for result in of_network):
        parts += [
            "How many times faster nnr is than each engine of its precision and threads:",
            _ratios(of_network),
        ]
    if skipped:
        parts.append("Left out:\n" + "\n".join(f"- {name}: {why}" for name, why in skipped.items()))
    return "\n\n".join(parts)


def _speeds(of_network: Sequence[Results], peaks: dict[str, dict[str, float]]) -> str:
    by_name = [_keyed(result["entries"], "engine") for result in of_network]
    rows: Rows = []
    for name, threads in _unique(key for entries in by_name for key in entries):
        cells = [_cell(entries.get((name, threads)), "GFLOP/s") for entries in by_name]
        rows.append([_bold(name), str(threads), *cells])
    for threads, of_threads in peaks.items():
        for precision, peak in of_threads.items():
            row = [f"*peak, {precision}*", threads, *[f"*{rate(peak)}*"] * len(of_network)]
            rows.append(row)
    return table(["engine", "threads", *(result["size"] for result in of_network)], rows)


def _ratios(of_network: Sequence[Results]) -> str:
    by_name = [
        {(ratio["ours"], ratio["engine"], ratio["threads"]): ratio for ratio in result["ratios"]}
        for result in of_network
    ]
    rows = [
        [ours, engine, str(threads), *(_cell(of.get((ours, engine, threads))) for of in by_name)]
        for ours, engine, threads in _unique(key for ratios in by_name for key in ratios)
    ]
    head = ["nnr", "over", "threads", *(result["size"] for result in of_network)]
    return table(head, rows, names=2)


def _keyed(entries: Sequence[Results], name: str) -> dict[tuple[str, int], Results]:
    return {(entry[name], entry["threads"]): entry for entry in entries}


def _cell(entry: Results | None, key: str = "ratio") -> str:
    if entry is None:
        return ""
    return f"{entry[key]:.2f}" if key == "ratio" else rate(entry[key])


def _bold(name: str) -> str:
    return f"**{name}**" if name.split()[0] == NAME else name


def _accuracy(results: Results) -> str:
    rows = []
    for each in results["accuracy"]:
        beside = [f"{ratio:.2f}" for ratio in each["beside onnxruntime"].values()] or ["", ""]
        errors = [f"{each[key]:.2e}" for key in ("max", "rms")]
        rows.append([f"{each['network']}, {each['size']}", _bold(each["engine"]), *errors, *beside])
    head = ["network", "engine", "max", "rms", "max ÷ onnxruntime's", "rms ÷ onnxruntime's"]
    return f"""### Accuracy
Errors against the same network in float64, one thread; int8 beside onnxruntime's int8.

{table(head, rows, names=2)}"""


def _memory(measured: Sequence[Results]) -> str:
    sizes = _unique(each["size"] for each in measured)
    found = {(each["way"], each["threads"], each["size"]): each for each in measured}
    rows, skipped = [], {}
    for way, threads in _unique((each["way"], each["threads"]) for each in measured):
        of_way = [found.get((way, threads, size), {}) for size in sizes]
        reasons = [each["skipped"] for each in of_way if "skipped" in each]
        if reasons:
            skipped[way] = reasons[0]
        else:
            cells = [f"{each['bytes'] / 2**20:.1f}" if each else "" for each in of_way]
            rows.append([way, str(threads), *cells])
    left_out = "".join(f"\n\nLeft out: {way}: {why}" for way, why in skipped.items())
    return f"""### Memory
MB beside picture and result at the peak of a fresh process, the half-size filter; planes of 10 bits for
`PostFilter`, of float32 for onnxruntime.

{table(["", "threads", *sizes], rows)}{left_out}"""


def _startup(results: Results) -> str:
    rows = [
        [
            f"`{each['file']}`, {each['bytes'] / 1000:.0f} KB",
            f"onnx, {each['import']:.0f} ms" if each["imported"] else "",
            *(f"{each[key]:.1f}" for key in ("ready", "64x64", "416x240")),
        ]
        for each in results["startup"]
    ]
    head = ["file", "imported before", "loaded", "first 64x64", "first 416x240"]
    patch = [
        [str(each["threads"]), f"{each['ms']:.2f}"]
        + [f"{cost:.2f}" for cost in each["over its share"].values()]
        for each in results["patch"]
    ]
    frames = results["patch"][0]["over its share"]
    heads = ["threads", "ms", *(f"÷ its share of {title}" for title in frames)]
    return f"""### Start-up and small pictures
Milliseconds in a fresh process that has imported nnr, the half-size filter compressed, one thread, medians
of {results["processes"]} processes.

{table(head, rows, names=2)}

A patch of 64x64, over its share by area of what a frame takes:

{table(heads, patch)}"""


def _machine(results: Results) -> str:
    built = results["configuration"]
    facts = results["machine"] | {
        "nnr built by": f"{built['compiler']}, {built['build type']}, `{built['flags']}`",
        "engines": ", ".join(f"{name} {text}" for name, text in results["engines"].items()),
    }
    return f"""### Machine and engines
{table(["", ""], [[name, value] for name, value in facts.items()], names=2)}"""


def _unique(items: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(items))
