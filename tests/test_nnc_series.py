"""Incremental series: each step is coded with what is known from the steps before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import assert_same_tensors, normal
from nnc_cases import arrays, need_corpus
from test_nnc_encode import assert_honest

import nnr
from nnr.coding.nnc import encode_model


def steps_of_a_training(count: int) -> list[dict[str, Any]]:
    """Weights that change little from step to step, many of them not at all."""
    generator = np.random.default_rng(3)
    weights = np.where(generator.random((40, 50)) < 0.3, normal(40, 50), 0).astype(np.float32)
    steps = []
    for _ in range(count):
        steps.append({"w": weights.copy(), "b": normal(40), "i": np.arange(12).reshape(3, 4)})
        weights = weights + np.where(weights != 0, 0.02 * normal(40, 50, seed=9), 0)
        weights = weights.astype(np.float32)
    return steps


def test_the_series_of_the_corpus() -> None:
    base = None
    for step in range(3):
        case = f"60_tca_step{step}"
        base = nnr.decode(need_corpus() / f"{case}.nnc", base=base)
        assert_same_tensors(base.tensors, arrays(case, ""))
        for name, levels in arrays(case, ".levels").items():
            np.testing.assert_array_equal(base.levels(name), levels)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"dq": False},
        {"rdo": 0, "bits": 5},
        {"scan_order": 1},
        {"row_skipping": False},
        {"max_error": 0.01},
        {"rmse": 0.01},
        {"target_size": 2500},
        {"rules": ["b=raw"]},
        {"codebook": True, "bits": 4},
        {"profile": "nncodec"},
    ],
)
def test_updates_decode_to_what_was_reported(options: dict[str, Any]) -> None:
    steps = steps_of_a_training(4)
    if "profile" in options:
        steps = [{name: step[name] for name in ("w", "b")} for step in steps]
    encoded, decoded = None, None
    for tensors in steps:
        base = None if encoded is None else encoded.model
        encoded = encode_model(tensors, base=base, **options)
        assert_honest(encoded, decoded)
        decoded = nnr.decode(encoded.data, base=decoded)
        # What a decoder knows is as good a base as what the encoder knows.
        twin = encode_model(tensors, base=decoded, **options)
        assert twin.data == encode_model(tensors, base=encoded.model, **options).data


def test_an_update_is_smaller_than_a_model() -> None:
    first, second = steps_of_a_training(2)
    base = encode_model(first).model
    assert len(nnr.encode(second, base=base)) < 0.8 * len(nnr.encode(second))


def test_tensors_come_change_and_go() -> None:
    sets: list[dict[str, Any]] = [
        {"stays": normal(8, 9), "goes": normal(8, 9, seed=1), "changes": normal(4, 5)},
        {"stays": normal(8, 9), "changes": normal(5, 5), "comes": normal(3, 3)},
        {"stays": normal(8, 9), "goes": normal(8, 9, seed=1), "comes": normal(3, 3)},
    ]
    decoded = None
    for tensors in sets:
        encoded = encode_model(tensors, base=decoded)
        assert_honest(encoded, decoded)
        decoded = nnr.decode(encoded.data, base=decoded)
    # Its state is that of the first step.
    notes = {record.name: record.notes for record in encoded.records}
    assert notes == {"stays": "step 2", "goes": "step 1", "comes": "step 1"}


def test_a_wrong_base_is_refused() -> None:
    steps = steps_of_a_training(3)
    models = [encode_model(steps[0])]
    for tensors in steps[1:]:
        models.append(encode_model(tensors, base=models[-1].model))
    data = models[2].data
    for base in (None, models[0].model, models[2].model):
        with pytest.raises(nnr.BitstreamError):
            nnr.decode(data, base=base)
    assert nnr.decode(data, base=models[1].model).tensors["w"].shape == (40, 50)


def test_one_tensor_of_an_update(tmp_path: Path) -> None:
    first, second = steps_of_a_training(2)
    base = encode_model(first).model
    encoded = encode_model(second, base=base)
    path = tmp_path / "update.nnr"
    path.write_bytes(encoded.data)
    file = nnr.NncFile(path, base=base)
    for name in second:
        assert_same_tensors({name: file.read(name)}, {name: encoded.model.tensors[name]})
    # The checksums need no base.
    assert set(nnr.NncFile(path).verify().values()) == {None}


def test_the_history_is_that_of_levels() -> None:
    """With a codebook a level of zero is not a value of zero."""
    values = np.float32([[0.5, 1.5], [0.5, 0.5], [2.5, 0.5]])
    base = encode_model({"w": values}, step=0.5, codebook=True, dq=False, rdo=0)
    assert base.model.levels("w")[0, 0] == 0
    state = base.model.series()["w"]
    np.testing.assert_array_equal(state.active, base.model.levels("w") != 0)
    again = nnr.decode(base.data).series()["w"]
    np.testing.assert_array_equal(again.active, state.active)


def test_a_series_of_nncodec_to_the_byte() -> None:
    base = None
    for step in range(3):
        case = f"60_tca_step{step}"
        data = (need_corpus() / f"{case}.nnc").read_bytes()
        options: dict[str, Any] = {"qp": -20, "profile": "nncodec"}
        assert nnr.encode(arrays(case, ".in"), base=base, series=step == 0, **options) == data
        base = nnr.decode(data, base=base)


def test_tensors_of_a_series_keep_their_numbers() -> None:
    first = {"a": normal(4, 4), "b": normal(5, 5), "c": normal(6, 6)}
    base = encode_model(first, series=True).model
    update = encode_model({"c": first["c"], "new": normal(3, 3), "b": first["b"]}, base=base)
    numbers = {name: node[1] for name, node in update.model.file.nodes().items()}
    assert numbers == {"b": 1, "c": 2, "new": 3}
    with pytest.raises(ValueError, match="series"):
        nnr.encode(first, base=base, series=True)


def test_what_is_empty_has_no_past() -> None:
    first = {"w": normal(4, 4), "none": np.zeros((3, 0), np.float32)}
    base = encode_model(first, series=True).model
    update = encode_model(first, base=base)
    units = {unit.names[0]: unit for unit in update.model.file._data_units}
    assert units["w"].parent[1]
    assert units["none"].parent is None
