"""The auto-encoder's evaluation: Table 4 of the paper, and curves beside other codecs.

Small pictures are coded at one mean rate, by one setting for all of them, with JPEG and with the
auto-encoder, whose decoder runs in its original and in its reconstructed form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from ..networks import AutoEncoder
from .autoencoder_report import AutoEncoderReport, CodedRow, Example, RatePoint
from .cache import Cache, JsonObject, code_digest, content_key
from .metrics import rgb_quality
from .picture_codecs import (
    AutoEncoderCodec,
    CodedPictures,
    Counted,
    JpegCodec,
    PictureCodec,
    RgbPictures,
    Subsampling,
    find_setting,
    other_codecs,
)
from .small_pictures import SmallPictures

# Curves are of some of the pictures: AVIF and JPEG XL take a hundredth of a second for each.
_CURVE_PICTURES = 200
_CURVE_RATES = (0.5, 6.0)
_EXAMPLES = 6
# In units of the quality: a fifth of the rate up or down.
_SEARCH_RADIUS = 16

OnStep = Callable[[str], None]
"""Called after each step with what it did."""


@dataclass(frozen=True)
class AutoEncoderTask:
    """Measure an auto-encoder beside JPEG at one rate, and beside other codecs at many.

    Parameters
    ----------
    pictures : SmallPictures
        At least 11x11 samples.
    autoencoder : AutoEncoder, optional
        By default the bundled one.
    bpp : float
        Mean bits a pixel of the table.

    Examples
    --------
    >>> from nnr.evaluation import AutoEncoderTask, embedded_pictures
    >>> task = AutoEncoderTask(embedded_pictures(100), bpp=4.3)
    >>> task.pictures.samples.shape
    (100, 32, 32, 3)
    """

    pictures: SmallPictures
    autoencoder: AutoEncoder = field(default_factory=AutoEncoder.load)
    bpp: float = 4.3

    def __post_init__(self) -> None:
        if not 0 < self.bpp <= 24:
            raise ValueError(f"bpp must be above 0 and at most 24, got {self.bpp}")

    @property
    def step_count(self) -> int:
        """How often `run` calls *on_step*."""
        jpegs, codecs = len(_jpeg_codecs()), self._curve_codecs()
        return jpegs + 1 + sum(len(codec.settings) for codec in codecs)

    def run(
        self,
        *,
        cache: Cache | None = None,
        on_step: OnStep = lambda description: None,  # noqa: ARG005
    ) -> AutoEncoderReport:
        """Code, decode and measure whatever the cache does not hold.

        Parameters
        ----------
        cache : Cache, optional
            By default the one in the user's cache folder.
        on_step : callable
            Called after each step with what it did.

        Raises
        ------
        ValueError
            A codec does not reach the rate.
        """
        cache = Cache() if cache is None else cache
        rows = [*self._jpeg_rows(cache, on_step), *self._own_rows(cache, on_step)]
        curves = {codec.name: self._curve(codec, cache, on_step) for codec in self._curve_codecs()}
        return AutoEncoderReport(
            self.pictures.origin,
            len(self.pictures.samples),
            self.bpp,
            rows,
            curves,
            len(self._curve_samples()),
            self._examples(rows),
            self.autoencoder.file_sizes,
            {codec.name: codec.version for codec in self._curve_codecs()},
        )

    def _jpeg_rows(self, cache: Cache, on_step: OnStep) -> list[CodedRow]:
        rows = []
        for codec in _jpeg_codecs():
            key = self._key("at one rate", codec, self.pictures.samples, self.bpp)
            record = cache.measurement(key, partial(self._at_rate, codec))
            rows.append(CodedRow(codec.name, **record))
            on_step(f"{codec.name} at {self.bpp:g} bpp")
        return rows

    def _at_rate(self, codec: PictureCodec) -> JsonObject:
        coded: dict[float, CodedPictures] = {}
        samples = self.pictures.samples

        def rate_of(setting: float) -> float:
            coded[setting] = codec.code(samples, setting)
            return coded[setting].bpp

        setting = find_setting(rate_of, self.bpp, codec.settings[0], codec.settings[-1])
        return {"setting": setting, **_measured(samples, coded[setting])}

    def _own_rows(self, cache: Cache, on_step: OnStep) -> list[CodedRow]:
        """The files of one setting, decoded by the original and by the reconstructed network."""
        codec = AutoEncoderCodec(self.autoencoder)
        samples = self.pictures.samples

        def measure() -> JsonObject:
            setting, files = self._files_at_rate(codec)
            sizes = [len(data) for data in files]
            record: JsonObject = {"setting": setting}
            for arithmetic in ("float", "integer"):
                decoded = self.autoencoder.decode_many(files, arithmetic=arithmetic)
                record[arithmetic] = _measured(samples, CodedPictures(sizes, decoded))
            return record

        record = cache.measurement(self._key("own", codec, samples, self.bpp), measure)
        on_step(f"{codec.name} at {self.bpp:g} bpp")
        return [
            CodedRow(codec.name, record["setting"], **record["float"]),
            CodedRow(f"reconstructed {codec.name}", record["setting"], **record["integer"]),
        ]

    def _files_at_rate(self, codec: AutoEncoderCodec) -> tuple[float, list[bytes]]:
        """Search among some of the pictures, then near what was found among all of them."""
        coded: dict[float, list[bytes]] = {}

        def rate_of(samples: RgbPictures, setting: float) -> float:
            coded[setting] = codec.files(samples, setting)
            return 8 * sum(map(len, coded[setting])) / samples[..., 0].size

        low, high = codec.settings[0], codec.settings[-1]
        some = partial(rate_of, self._curve_samples())
        near = find_setting(some, self.bpp, low, high, tolerance=0.01)
        bounds = max(low, near - _SEARCH_RADIUS), min(high, near + _SEARCH_RADIUS)
        setting = find_setting(partial(rate_of, self.pictures.samples), self.bpp, *bounds)
        return setting, coded[setting]

    def _curve(self, codec: PictureCodec, cache: Cache, on_step: OnStep) -> list[RatePoint]:
        samples = self._curve_samples()
        points = []
        for setting in codec.settings:
            key = self._key("point", codec, samples, setting)
            record = cache.measurement(key, partial(_coded_and_measured, codec, samples, setting))
            points.append(RatePoint(**record))
            on_step(f"{codec.name} {setting:g}")
        return _around(sorted(points, key=lambda point: point.bpp), *_CURVE_RATES)

    def _curve_samples(self) -> RgbPictures:
        samples = self.pictures.samples
        return samples[:: -(-len(samples) // _CURVE_PICTURES)]

    def _curve_codecs(self) -> list[PictureCodec]:
        return [AutoEncoderCodec(self.autoencoder), *_jpeg_codecs(), *other_codecs()]

    def _examples(self, rows: list[CodedRow]) -> list[Example]:
        """Some pictures as the first row, JPEG of whole files, and the last one have them."""
        samples = self.pictures.samples
        count = min(_EXAMPLES, len(samples))
        indices = [(2 * part + 1) * len(samples) // (2 * count) for part in range(count)]
        chosen = samples[indices]
        jpeg = _jpeg_codecs()[0].code(chosen, rows[0].setting)
        own = AutoEncoderCodec(self.autoencoder).code(chosen, rows[-1].setting)
        jpeg_psnr, _ = rgb_quality(chosen, jpeg.pictures)
        own_psnr, _ = rgb_quality(chosen, own.pictures)
        return [
            Example(
                index,
                chosen[i],
                jpeg.pictures[i],
                own.pictures[i],
                float(jpeg_psnr[i]),
                float(own_psnr[i]),
                jpeg.sizes[i],
                own.sizes[i],
            )
            for i, index in enumerate(indices)
        ]

    @staticmethod
    def _key(kind: str, codec: PictureCodec, samples: RgbPictures, setting: float) -> str:
        digest = hashlib.sha256(samples.tobytes()).hexdigest()
        return content_key(
            "pictures", kind, code_digest(), codec.name, codec.version, digest, repr(setting)
        )


def _jpeg_codecs() -> list[JpegCodec]:
    counts: tuple[Counted, ...] = ("file", "scan")
    subsamplings: tuple[Subsampling, ...] = ("4:4:4", "4:2:0")
    return [JpegCodec(subsampling, counted) for counted in counts for subsampling in subsamplings]


def _around(points: list[RatePoint], low: float, high: float) -> list[RatePoint]:
    """The points of a curve between two rates, and the next one beyond either."""
    below = sum(point.bpp < low for point in points)
    above = sum(point.bpp > high for point in points)
    return points[max(below - 1, 0) : len(points) - max(above - 1, 0)]


def _coded_and_measured(codec: PictureCodec, samples: RgbPictures, setting: float) -> JsonObject:
    return _measured(samples, codec.code(samples, setting))


def _measured(samples: RgbPictures, coded: CodedPictures) -> JsonObject:
    psnr, ssim = rgb_quality(samples, coded.pictures)
    return {"bpp": coded.bpp, "psnr": float(psnr.mean()), "ssim": float(ssim.mean())}
