"""What a reader needs to know of the machine and the software to judge a number."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import os
import platform
from pathlib import Path

import nnr

from . import peers

CPU = Path("/sys/devices/system/cpu")


def describe() -> dict[str, str]:
    cpu = min(os.sched_getaffinity(0))
    return {
        "date": dt.date.today().isoformat(),
        "CPU": _cpu_field("model name") or platform.machine(),
        "caches": _caches(cpu),
        "cores": f"{os.cpu_count()}, of which this process may use {_allowed_cores()}",
        "frequency": _frequency(cpu),
        "huge pages": _chosen(Path("/sys/kernel/mm/transparent_hugepage/enabled")),
        "load before": f"{os.getloadavg()[0]:.2f}",
        "system": _system(),
        "Python": platform.python_version(),
    }


def configuration() -> dict[str, str]:
    """What `nnr.cpu.show_config()` prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        nnr.cpu.show_config()
    lines = (line.partition(":") for line in printed.getvalue().splitlines())
    return {name.strip(): value.strip() for name, _, value in lines}


def libraries() -> dict[str, str]:
    return {"nnr": nnr.__version__} | peers.versions()


def _cpu_field(name: str) -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        field, _, value = line.partition(":")
        if field.strip() == name:
            return value.strip()
    return ""


def _allowed_cores() -> str:
    return ", ".join(f"number {core}" for core in sorted(os.sched_getaffinity(0)))


def _caches(cpu: int) -> str:
    found = []
    for folder in sorted((CPU / f"cpu{cpu}" / "cache").glob("index*")):
        level, kind, size = (_text(folder / name) for name in ("level", "type", "size"))
        if kind != "Instruction":
            found.append(f"L{level} {_readable(size)}")
    return ", ".join(found) or "not readable"


def _readable(size: str) -> str:
    kilobytes = int(size.removesuffix("K"))
    return f"{kilobytes // 1024} MB" if kilobytes >= 1024 else f"{kilobytes} KB"


def _frequency(cpu: int) -> str:
    scaling = CPU / f"cpu{cpu}" / "cpufreq"
    nominal = _cpu_field("cpu MHz")
    if not (scaling / "scaling_governor").exists():
        governor = "governor not readable"
    else:
        governor = f"governor {_text(scaling / 'scaling_governor')}"
    return f"{float(nominal):.0f} MHz by /proc/cpuinfo, {governor}" if nominal else governor


def _chosen(setting: Path) -> str:
    """The choice that the kernel puts in brackets."""
    if not setting.exists():
        return "not readable"
    return _text(setting).partition("[")[2].partition("]")[0]


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())


def _text(path: Path) -> str:
    return path.read_text().strip()
