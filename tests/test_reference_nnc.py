"""The pure-Python NNC codec: real streams where they lie beside the checkout, else round trips."""

from __future__ import annotations

import contextlib
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import SHARED_DATA
from hypothesis import given, settings
from hypothesis import strategies as st

import nnr
from nnr.reference import nnc
from nnr.reference.nnc import arithmetic, bits, coders, contexts, layer, ndu, search, tensor, units

CORPUS = SHARED_DATA / "nnc"
LARGEST_CASE = 5000  # bytes; larger ones take seconds each in pure Python
# How the names of the corpus' settings read here.
OPTIONS = {
    "use_dq": "dq",
    "row_skipping": "row_skip",
    "tca": "temporal_context",
    "pre_signalling": "pre_signalling",
    **{
        name: name
        for name in (
            *("qp", "nonweight_qp", "qp_density", "param_opt", "scan_order"),
            "cabac_unary_length_minus1",
        )
    },
}
# What these cases use is not offered by this encoder: codebooks, blocks, rate-distortion
# optimisation, clipping to a bit depth, raw values, the first edition's syntax.
NOT_ENCODED = ("29", "30", "31", "33", "34", "37", "38", "45", "46", "51", "54", "64", "70", "71")


def corpus_cases(but: tuple[str, ...] = ()) -> list[Any]:
    paths = [path for path in sorted(CORPUS.glob("*.nnc")) if path.stat().st_size < LARGEST_CASE]
    paths = [path for path in paths if not path.stem.startswith(but)]
    if not paths:
        skip = pytest.mark.skip(reason="needs NNC streams, which are not here")
        return [pytest.param(CORPUS / "none.nnc", marks=skip)]
    return [pytest.param(path, id=path.stem) for path in paths]


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        return {str(name): arrays[f"a{i}"] for i, name in enumerate(arrays["names"])}


def base_of(path: Path) -> nnc.DecodedStream | None:
    """The stream before a step of a series."""
    stem, step, number = path.stem.partition("_step")
    if not step or number == "0":
        return None
    before = path.with_name(f"{stem}_step{int(number) - 1}.nnc")
    return nnc.decode_stream(before.read_bytes(), base_of(before))


@pytest.mark.parametrize("path", corpus_cases())
def test_decodes_real_streams(path: Path) -> None:
    decoded = nnc.decode_stream(path.read_bytes(), base_of(path))
    expected = load_arrays(path.with_suffix(".npz"))
    assert list(decoded.tensors) == list(expected)
    for name, values in expected.items():
        assert decoded.tensors[name].dtype == values.dtype
        np.testing.assert_array_equal(decoded.tensors[name], values, strict=True)
    if path.with_suffix(".levels.npz").exists() and decoded.levels:
        for name, levels in load_arrays(path.with_suffix(".levels.npz")).items():
            np.testing.assert_array_equal(decoded.levels[name], levels, strict=True)


@pytest.mark.parametrize("path", corpus_cases(but=NOT_ENCODED))
def test_encodes_the_bytes_of_real_streams(path: Path) -> None:
    chosen = json.loads(path.with_suffix(".json").read_text())["settings"]
    options = {OPTIONS[name]: value for name, value in chosen.items() if name in OPTIONS}
    if "compress" in chosen.get("api", ""):  # another program's defaults
        options = {"qp": -38, "row_skip": False, **options}
    if chosen.get("compress_differences"):
        options |= {"put_node_depth": chosen["step"] + 1, "base": base_of(path)}
    tensors = load_arrays(path.with_suffix(".in.npz"))
    assert nnc.encode_stream(tensors, **options) == path.read_bytes()


@pytest.mark.parametrize(
    "path", [case for case in corpus_cases() if "codebook" in str(case.id)] or corpus_cases()
)
def test_codes_levels_of_codebooks_as_real_streams_do(path: Path) -> None:
    data = path.read_bytes()
    settings_of = json.loads(path.with_suffix(".json").read_text())
    decoded = nnc.decode_stream(data)
    for header, (name, levels) in zip(decoded.headers, decoded.levels.items(), strict=True):
        if header.codebook is None:
            continue
        known = layer.Layer(
            levels.shape,
            unary_length=header.cabac_unary_length_minus1 + 1,
            scan_order=header.scan_order,
            codebook=header.codebook,
        )
        coded = tensor.encode_tensor(
            known,
            levels,
            row_skip=settings_of["settings"].get("row_skipping", False),
            param_opt=True,
            nncodec=True,
            qp_delta=(settings_of["tensors"][name]["qp"], 8),
        )
        assert coded.payload in data
        assert coded.entry_points == header.entry_points


START = bytes.fromhex("00040201")
PARAMETERS = bytes.fromhex("0008068100400080")
TOPOLOGY = bytes.fromhex("00060e000000")
WORKED_UNIT = bytes.fromhex("00151609 7700d041c120a082a080 f7dfa0012bcec0")
WORKED_TENSOR = np.array([[1, -0.5], [0, 0.25]], np.float32)


def test_worked_example() -> None:
    data = START + PARAMETERS + TOPOLOGY + WORKED_UNIT
    decoded = nnc.decode_stream(data)
    np.testing.assert_array_equal(decoded.tensors["w"], WORKED_TENSOR, strict=True)
    assert decoded.levels["w"].tolist() == [[4, -2], [0, 1]]
    header = decoded.headers[0]
    assert (header.dq_flag, header.tensor_dimensions) == (1, [2, 2])
    assert header.cabac_unary_length_minus1 == 10
    assert nnc.encode_stream({"w": WORKED_TENSOR}, qp=-8) == data


def random_tensors(seed: int = 0) -> dict[str, np.ndarray]:
    random = np.random.default_rng(seed)
    weight = random.normal(0, 0.1, (21, 13)).astype(np.float32)
    weight[[2, 9, 10]] = 0
    return {
        "weight": weight,
        "bias": random.normal(0, 0.1, 21).astype(np.float32),
        "numbers": random.integers(-(2**31), 2**31, (3, 2, 2)).astype(np.int32),
        "scalar": np.float32(0.25).reshape(()),
        "empty": np.zeros((0, 4), np.float32),
        "zeros": np.zeros((4, 4), np.float32),
    }


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dq": False},
        {"param_opt": False},
        {"nncodec": False},
        {"scan_order": 1, "dq": False},
        {"scan_order": 1, "nncodec": False},
        {"cabac_unary_length_minus1": 0},
        {"qp_density": 7, "qp": -901, "nonweight_qp": -2401},
    ],
    ids=str,
)
def test_round_trip_of_streams(options: dict[str, Any]) -> None:
    tensors = random_tensors()
    decoded = nnc.decode_stream(nnc.encode_stream(tensors, **options))
    chosen = nnc.EncoderOptions(**options)
    assert list(decoded.tensors) == list(tensors)
    for name, values in tensors.items():
        got = decoded.tensors[name]
        assert (got.dtype, got.shape) == (values.dtype, values.shape)
        if values.dtype == np.int32:
            np.testing.assert_array_equal(got, values)
        else:
            qp = chosen.qp if values.ndim > 1 else chosen.nonweight_qp
            step = nnc.step_size(qp, chosen.qp_density)
            np.testing.assert_allclose(got, values, rtol=0, atol=step * (2 if chosen.dq else 0.51))


def test_skipped_rows_of_scanned_blocks_come_back_as_they_were_meant() -> None:
    # NNCodec's own choice here loses accuracy: its quantiser does not know what a skip does.
    tensors = {"weight": random_tensors()["weight"]}
    step = nnc.step_size(-20, 2)

    def worst(**options: Any) -> float:
        data = nnc.encode_stream(tensors, qp=-20, scan_order=1, **options)
        return float(np.abs(nnc.decode_stream(data).tensors["weight"] - tensors["weight"]).max())

    assert worst(nncodec=False) <= 2 * step < worst(nncodec=True)


def test_series_of_updates() -> None:
    tensors = {"w": random_tensors()["weight"], "b": random_tensors()["bias"]}
    before, known = None, np.zeros((21, 13), np.bool_)
    for depth in range(1, 4):
        data = nnc.encode_stream(
            tensors,
            qp=-12,
            put_node_depth=depth,
            base=before,
            temporal_context=True,
            history_context=True,
        )
        decoded = nnc.decode_stream(data, before)
        np.testing.assert_allclose(decoded.tensors["w"], tensors["w"], atol=2 * 2**-3)
        parent = decoded.headers[0].parent_node_id
        assert parent is not None
        assert parent.temporal_context_modeling_flag == (depth > 1)
        known |= decoded.tensors["w"] != 0
        np.testing.assert_array_equal(decoded.history["w"], known)
        before = decoded
    with pytest.raises(nnr.BitstreamError, match="not there") as caught:
        nnc.decode_stream(data)
    assert caught.value.kind == "unsupported"


def test_tensors_of_zeros_are_left_out_of_updates() -> None:
    tensors = {"zero": np.zeros((3, 3), np.float32), "one": np.ones((3, 3), np.float32)}
    data = nnc.encode_stream(tensors, pre_signalling=True)
    assert list(nnc.decode_stream(data).tensors) == ["one"]


def test_every_cut_is_noticed() -> None:
    data = nnc.encode_stream(random_tensors(), scan_order=1)
    ends = {0}
    while max(ends) < len(data):
        ends.add(units.parse_unit(data, max(ends)).end)
    for length in range(len(data)):
        if length in ends - {0}:
            nnc.decode_stream(data[:length])  # nothing tells that units are missing
            continue
        with pytest.raises(nnr.BitstreamError) as caught:
            nnc.decode_stream(data[:length])
        assert caught.value.kind == "truncated"
        assert caught.value.byte_offset <= length


def test_damage_is_an_error_or_another_tensor() -> None:
    data = START + PARAMETERS + TOPOLOGY + WORKED_UNIT
    for place in range(8 * len(data)):
        damaged = bytearray(data)
        damaged[place // 8] ^= 0x80 >> place % 8
        with contextlib.suppress(nnr.BitstreamError):
            nnc.decode_stream(bytes(damaged))


@pytest.mark.parametrize(
    ("unit", "kind", "message"),
    [
        ("00040a80", "unsupported", "type LPS"),
        ("00041200", "unsupported", "type QNT"),
        ("00041a00", "unsupported", "type AGG"),
        ("00051621ff", "unsupported", "payload_type 4"),
        ("0005170100", "unsupported", "partial_data_counter"),
        ("0008068100400080", "corrupt", "second model parameter set"),
        ("00040201", "corrupt", "start unit"),
        ("0002", "corrupt", "too short"),
        ("001516217700", "truncated", "begins where 6"),
        ("0016" + WORKED_UNIT.hex()[4:] + "00", "corrupt", "in use"),
    ],
)
def test_units_that_are_refused(unit: str, kind: str, message: str) -> None:
    with pytest.raises(nnr.BitstreamError, match=message) as caught:
        nnc.decode_stream(START + PARAMETERS + bytes.fromhex(unit))
    assert caught.value.kind == kind


def test_what_a_stream_must_have() -> None:
    with pytest.raises(nnr.BitstreamError, match="start unit"):
        nnc.decode_stream(PARAMETERS)
    with pytest.raises(nnr.BitstreamError, match="before the model parameter set"):
        nnc.decode_stream(START + WORKED_UNIT)
    with pytest.raises(nnr.BitstreamError, match="two tensors named 'w'"):
        nnc.decode_stream(START + PARAMETERS + WORKED_UNIT + WORKED_UNIT)
    unknown = bytes.fromhex("00058a1234")  # type 34
    assert list(nnc.decode_stream(START + PARAMETERS + unknown + WORKED_UNIT).tensors) == ["w"]


@given(st.integers(0, 15), st.integers(0, 2**32 - 1), st.integers(-(2**31), 2**31 - 1))
def test_descriptors(order: int, unsigned: int, signed: int) -> None:
    writer = bits.BitWriter()
    writer.u(3, 5)
    writer.ue(order, unsigned)
    writer.ie(order, signed)
    writer.i(33, signed)
    writer.flt(0.5)
    writer.byte_alignment()
    writer.st("näme")
    reader = bits.BitReader(bytes(writer))
    assert (reader.u(3), reader.ue(order), reader.ie(order)) == (5, unsigned, signed)
    assert (reader.i(33), reader.flt()) == (signed, 0.5)
    reader.byte_alignment()
    assert reader.st() == "näme"
    with pytest.raises(nnr.BitstreamError, match="1 bits wanted"):
        reader.u(1)


def test_descriptors_of_damaged_headers() -> None:
    with pytest.raises(nnr.BitstreamError, match="longer than any value"):
        bits.BitReader(bytes(20)).ue(0)
    with pytest.raises(nnr.BitstreamError, match="not closed"):
        bits.BitReader(b"name").st()
    with pytest.raises(nnr.BitstreamError, match="UTF-8"):
        bits.BitReader(b"\xff\0").st()
    with pytest.raises(nnr.BitstreamError, match="byte_alignment"):
        bits.BitReader(b"\xc0").byte_alignment()
    for name in ("a\0b",):
        with pytest.raises(ValueError, match="zero character"):
            nnc.encode_stream({name: WORKED_TENSOR})


LEVELS = st.one_of(
    st.integers(-2, 2), st.integers(-40, 40), st.sampled_from([-(2**31), 2**31 - 1, 2**30])
)


@st.composite
def layers(draw: st.DrawFn) -> tuple[np.ndarray, dict[str, Any]]:
    shape = draw(st.sampled_from([(), (1,), (5,), (1, 7), (7, 1), (2, 2), (3, 2, 2), (19, 9)]))
    count = int(np.prod(shape))
    # Few values a tensor, so that large ones are cheap to draw.
    values = draw(st.lists(LEVELS, min_size=1, max_size=8))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    levels = random.choice(np.array(values, np.int32), count).reshape(shape)
    if len(shape) > 1 and draw(st.booleans()):
        levels[::2] = 0
    options: dict[str, Any] = {
        "dq": draw(st.booleans()),
        "unary_length": draw(st.sampled_from([1, 11, 256])),
        "scan_order": draw(st.sampled_from([0, 1, 2])),
        "profile": draw(st.sampled_from([0, 1])),
    }
    if draw(st.booleans()):
        options["parent"] = True
        options["history"] = random.integers(0, 2, shape).astype(np.bool_)
        options["base"] = random.integers(-3, 4, shape).astype(np.int32)
    return levels, options


@settings(deadline=None, max_examples=60)
@given(layers(), st.booleans(), st.booleans(), st.booleans())
def test_round_trip_of_layers(
    case: tuple[np.ndarray, dict[str, Any]], row_skip: bool, param_opt: bool, nncodec: bool
) -> None:
    levels, options = case
    choices = {"row_skip": row_skip, "param_opt": param_opt, "nncodec": nncodec}
    data = nnc.encode_layer(levels, **options, **choices)
    indices = nnc.decode_layer(data, levels.shape, **options)
    assert indices.shape == levels.shape
    if options["dq"]:
        small = np.abs(levels.astype(np.int64)) < 2**30  # others wrap when they are doubled
        np.testing.assert_array_equal((indices != 0)[small], (levels != 0)[small])
    else:
        np.testing.assert_array_equal(indices, levels)
    with pytest.raises(nnr.BitstreamError):
        nnc.decode_layer(data[:-1], levels.shape, **options)
    with pytest.raises(nnr.BitstreamError):
        nnc.decode_layer(data + b"\0", levels.shape, **options)


@pytest.mark.parametrize("size", [1, 2, 3, 30, 200])
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_round_trip_with_codebooks(size: int, place: str) -> None:
    random = np.random.default_rng(size)
    zero = {"first": 0, "middle": size // 2, "last": size - 1}[place]
    entries = np.cumsum(random.integers(1, 90, size)) - 400
    codebook = nnc.Codebook(entries.tolist(), zero, 3)
    writer = bits.BitWriter()
    ndu.code_codebook(writer, codebook)
    assert ndu.code_codebook(bits.BitReader(bytes(writer)), nnc.Codebook([0], 0)) == codebook
    levels = random.integers(-zero, size - zero, (9, 10)).astype(np.int32)
    data = nnc.encode_layer(levels, codebook=codebook, unary_length=2)
    np.testing.assert_array_equal(
        nnc.decode_layer(data, levels.shape, codebook=codebook, unary_length=2), levels
    )
    values = nnc.dequantize(levels, 0.5, codebook)
    np.testing.assert_array_equal(values, entries[levels + zero] * 0.5)
    with pytest.raises(ValueError, match="with this codebook"):
        nnc.encode_layer(levels + size, codebook=codebook)


@pytest.mark.parametrize("prefix_ids", [31, 32])
def test_first_edition_streams_have_either_number_of_context_ids(prefix_ids: int) -> None:
    values = np.array([[300, -7], [0, 12]], np.int32)
    coded = tensor.encode_tensor(
        layer.Layer((2, 2), profile=0, prefix_ids=prefix_ids),
        values,
        row_skip=False,
        param_opt=True,
        nncodec=True,
    )
    mps = units.ModelParameterSet()
    header = ndu.NduHeader(ndu.PayloadType.INT, ["i"], tensor_dimensions=[2, 2])
    unit = ndu.write_ndu_header(header, mps, 0) + coded.payload
    data = units.write_start(0) + units.write_model_parameter_set(mps, 0)
    decoded = nnc.decode_stream(data + units.write_unit(units.UnitType.NDU, unit))
    assert decoded.general_profile_idc == 0
    np.testing.assert_array_equal(decoded.tensors["i"], values, strict=True)


def test_block_of_factors_and_vectors() -> None:
    # Payload: local scaling, bias, beta, gamma, mean, variance, then the factors.
    shapes = dict.fromkeys(("ls", "bias", "beta", "gamma", "mean", "var"), (6,))
    shapes |= {"g": (6, 2), "h": (2, 8)}
    random = np.random.default_rng(1)
    levels = {name: random.integers(-9, 9, shape) for name, shape in shapes.items()}
    engine = arithmetic.ArithmeticEncoder()
    for name, shape in shapes.items():
        engine.bypass(8, -12 & 0xFF)
        known = layer.Layer(shape)
        coder = coders.LayerEncoder(engine, known)
        layer.code_layer(coder, known, tensor.as_matrix(known, levels[name]), layer.Choices())
    header = ndu.NduHeader(
        ndu.PayloadType.BLOCK,
        ["g", "h", "ls", "beta", "gamma", "mean", "var", "bias"],
        compressed_parameter_types=15,
        decomposition_rank=2,
        g_number_of_rows=6,
        tensor_dimensions=[6, 2, 4],
    )
    unit = ndu.write_ndu_header(header, units.ModelParameterSet(), 1) + engine.terminate()
    data = START + PARAMETERS + units.write_unit(units.UnitType.NDU, unit)
    decoded = nnc.decode_stream(data)
    assert list(decoded.tensors) == list(shapes)
    for name, expected in levels.items():
        np.testing.assert_array_equal(decoded.levels[name], expected)
        np.testing.assert_array_equal(decoded.tensors[name], expected * np.float32(0.125))


def test_a_block_row_can_be_decoded_from_its_entry_point() -> None:
    random = np.random.default_rng(3)
    levels = random.integers(-3, 4, (20, 11)).astype(np.int32)
    known = layer.Layer(levels.shape, dq_flag=True, scan_order=1)
    coded = tensor.encode_tensor(known, levels, row_skip=False, param_opt=False, nncodec=True)
    whole = nnc.decode_layer(
        coded.payload, levels.shape, dq=True, scan_order=1, unary_length=known.unary_length
    )
    first = arithmetic.ArithmeticDecoder(coded.payload)
    coder = coders.LayerDecoder(first, known)
    layer.code_layer(coder, known, np.zeros_like(levels), layer.Choices())
    position = coder.block_rows[0].position
    for row, point in enumerate(coded.entry_points, start=1):
        position += point.bit_offset
        decoder = arithmetic.ArithmeticDecoder(coded.payload)
        decoder.restart(position, point.value)
        resumed = layer.LevelCoder(coders.LayerDecoder(decoder, known), known)
        resumed.state = point.dq_state
        segments = next(itertools.islice(layer.block_rows(known), row, None))
        for segment in segments:
            for column in range(segment.first, segment.last):
                place = segment.row * 11 + column
                assert resumed.code(0, place) == whole[segment.row, column]


def test_contexts_move_towards_what_they_see() -> None:
    for context_id in range(9):
        context = contexts.Context(context_id)
        for value in (1, 0):
            for _ in range(3000):
                assert 2 <= context.lps_width(256) < context.lps_width(511) <= 255 + 8
                context.update(value)
            assert (context.state > 1500) == (value == 1)
            assert (context.state < -1500) == (value == 0)
            assert -4096 <= context.state < 4096
    assert len(contexts.COST) == 1024
    assert contexts.COST[512][0] == pytest.approx(1 << 15, rel=0.01)


def test_search_finds_the_cheapest_start() -> None:
    assert search.cheapest_context_id([]) == 0
    assert search.cheapest_context_id([1, 0]) == 0
    ones = [1] * 200
    best = search.cheapest_context_id(ones)
    assert best
    assert search.bins_cost(ones, best) < search.bins_cost(ones, 0)
    assert search.bins_cost([1, -1, 1], 0) == 2 * search.bins_cost([1], 0)
    levels = np.random.default_rng(0).integers(-1, 2, (40, 40)).astype(np.int32)
    for nncodec in (True, False):
        ids = nnc.choose_context_ids(levels, dq=True, unary_length=11, nncodec=nncodec)
        assert len(ids) == 24 + 3 + 22 + 31
    searched, plain = nnc.encode_layer(levels), nnc.encode_layer(levels, param_opt=False)
    assert len(searched) <= len(plain)


def test_uniform_quantiser() -> None:
    weights = np.array([0.25, -0.25, 0.24, 0.75, -0.75, 0, 1e6], np.float32)
    assert nnc.uniform_quantize(weights, 0.5).tolist() == [1, -1, 0, 2, -2, 0, 2_000_000]
    for bad in (np.nan, np.inf, 3e38):
        for quantize in (nnc.uniform_quantize, nnc.trellis_quantize):
            with pytest.raises(ValueError, match="not finite, or too large"):
                quantize(np.array([bad], np.float32), 0.5)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.floats(-4, 4, width=32), max_size=4))
def test_trellis_finds_the_best_path(values: list[float]) -> None:
    def error(levels: tuple[int, ...]) -> float:
        state, total = 0, 0.0
        for level, x in zip(levels, values, strict=True):
            total += (x - nnc.dq_index(level, state)) ** 2
            state = layer.STATE_TRANSITIONS[state][level & 1]
        return total

    found = tuple(nnc.trellis_quantize(np.array(values, np.float32), 1.0).tolist())
    paths = itertools.product(*[range(-3, 4)] * len(values))
    assert error(found) == pytest.approx(min(map(error, paths)))


@pytest.mark.parametrize(
    ("qp", "density", "step"),
    [(-32, 2, 2**-8), (-38, 2, 1.5 * 2**-10), (-20, 2, 2**-5), (0, 0, 1), (4000, 0, np.inf)],
)
def test_step_sizes(qp: int, density: int, step: float) -> None:
    assert nnc.step_size(qp, density) == step


def test_options_are_checked() -> None:
    for name, value in (("qp", 128), ("qp_density", 8), ("scan_order", 5), ("nonweight_qp", -129)):
        with pytest.raises(ValueError, match=rf"{name} must be .* got {value}"):
            nnc.encode_stream({}, **{name: value})
    with pytest.raises(TypeError, match="'w' must be float32 or int32, got float64"):
        nnc.encode_stream({"w": np.zeros(3)})
