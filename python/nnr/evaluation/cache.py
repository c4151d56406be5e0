"""What was encoded and measured before, kept on disk by the hash of everything it depends on.

``streams`` holds every encoded chunk as a playable raw H.266 file with its record beside it,
``measurements`` the values per picture. Every entry is written in one step and carries a checksum;
one that is missing or damaged is computed again, so that a run killed half way goes on where it
stopped. Nothing is ever removed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from .. import _core
from ..files import atomic_write
from ..video import vvc
from ..video.frame import Frame

JsonObject = dict[str, Any]


def default_folder() -> Path:
    """Return where the cache is kept unless the user says otherwise."""
    stated = os.environ.get("XDG_CACHE_HOME", "")
    if Path(stated).is_absolute():
        return Path(stated) / "nnr"
    platform_cache = "Library/Caches" if sys.platform == "darwin" else ".cache"
    return Path.home() / platform_cache / "nnr"


class Cache:
    """Streams and measured values by content hash.

    Parameters
    ----------
    folder : Path, optional
        Created when first written to; by default `default_folder`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = default_folder() if folder is None else folder

    def stream(
        self, frames: Sequence[Frame], settings: vvc.VvcSettings, *, threads: int
    ) -> vvc.VvcStream:
        """Return the frames' stream, encoded unless it is here."""
        source_format = frames[0].format
        # The stream does not depend on the number of threads.
        arguments = vvc.encode_arguments(source_format, settings, threads=0)
        key = content_key("stream", frames_digest(frames), vvc.encoder_version(), *arguments)
        record_path = self.folder / "streams" / key[:2] / f"{key}.json"
        stream_path = record_path.with_suffix(".266")
        record = _read_record(record_path)
        if record is not None:
            data = _read_bytes(stream_path)
            if data is not None and hashlib.sha256(data).hexdigest() == record["sha256"]:
                return vvc.VvcStream(
                    data,
                    settings,
                    source_format,
                    len(frames),
                    record["command"],
                    record["encoder"],
                )
        stream = vvc.encode(frames, settings, threads=threads)
        _write(stream_path, stream.data)
        # The record comes last: it is what makes the entry count.
        record = {
            "sha256": hashlib.sha256(stream.data).hexdigest(),
            "command": stream.command,
            "encoder": stream.encoder,
        }
        _write_record(record_path, record)
        return stream

    def measurement(self, key: str, measure: Callable[[], JsonObject]) -> JsonObject:
        """Return the values kept under *key*, measured unless they are here."""
        path = self.folder / "measurements" / key[:2] / f"{key}.json"
        record = _read_record(path)
        if record is None:
            record = measure()
            _write_record(path, record)
        return record


def content_key(*parts: str | int) -> str:
    """Hash the parts; no two different lists of parts have the same text."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def frames_digest(frames: Sequence[Frame]) -> str:
    """Hash the samples and the format of frames."""
    digest = hashlib.sha256(repr([frame.format for frame in frames]).encode())
    for frame in frames:
        digest.update(frame.tobytes())
    return digest.hexdigest()


@cache
def code_digest() -> str:
    """Hash this package's own code, so that no value outlives the code that measured it."""
    package = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(path.relative_to(package).as_posix().encode())
        digest.update(path.read_bytes())
    # In an editable install the extension lies elsewhere.
    digest.update(Path(_core.__file__).read_bytes())
    return digest.hexdigest()


def _read_bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _read_record(path: Path) -> JsonObject | None:
    data = _read_bytes(path)
    if data is None:
        return None
    try:
        entry = json.loads(data)
        record: JsonObject = entry["record"]
        return record if entry["sha256"] == _checksum(record) else None
    except (ValueError, KeyError, TypeError):
        return None


def _write_record(path: Path, record: JsonObject) -> None:
    _write(path, json.dumps({"sha256": _checksum(record), "record": record}).encode())


def _checksum(record: JsonObject) -> str:
    return hashlib.sha256(json.dumps(record).encode()).hexdigest()


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as file:
        file.write(data)
