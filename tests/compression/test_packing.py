"""Packed files: the order of half bytes, odd rows, what is saved is what is loaded, damage is said."""

import json
import struct

import pytest
import torch
from safetensors.torch import load_file, save_file

from helpers.compression.packing import (
    load_into,
    load_packed,
    pack_nibbles,
    packed_tensors,
    save_packed,
    unpack_nibbles,
)
from helpers.compression.quantization import quantize, quantized
from tests.factories import gpt

ODD = {"recipe": "gpt2", "n_embd": 9, "n_head": 3}
IDS = torch.arange(2, 14)[None]


def codes(*rows):
    return torch.tensor(rows, dtype=torch.uint8)


def test_the_first_of_two_is_the_low_half():
    assert pack_nibbles(codes([1, 2, 15, 0])).tolist() == [[0x21, 0x0F]]
    assert unpack_nibbles(codes([0x21, 0x0F]), 4).tolist() == [[1, 2, 15, 0]]


@pytest.mark.parametrize("columns", [1, 2, 3, 7, 8])
def test_odd_rows_come_back_whole(columns):
    whole = torch.randint(16, (5, columns), dtype=torch.uint8)
    packed = pack_nibbles(whole)
    assert packed.shape == (5, (columns + 1) // 2) and unpack_nibbles(packed, columns).equal(whole)


def test_neighbors_share_a_byte_and_rows_do_not():
    assert pack_nibbles(codes([1, 2, 3], [4, 5, 6])).tolist() == [[0x21, 0x03], [0x54, 0x06]]


def test_codes_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="a code is 16: half a byte holds 0 to 15"):
        pack_nibbles(codes([16, 0]))
    for wrong in (codes([1])[0], torch.tensor([[1, 2]])):
        with pytest.raises(ValueError, match=r"give codes \[R, C\], uint8"):
            pack_nibbles(wrong)
    with pytest.raises(ValueError, match="5 codes are 3 bytes in each row"):
        unpack_nibbles(codes([1, 2]), 5)


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(("group", "symmetric"), [("tensor", True), ("row", False), (3, True), (3, False)])
def test_a_file_gives_back_what_was_saved(tmp_path, bits, group, symmetric):
    matrix, vector = quantize(torch.randn(4, 9), bits, group, symmetric), torch.randn(5)
    path = save_packed(tmp_path / "m.safetensors", {"w": matrix, "v": vector})
    back = load_packed(path)
    assert all(one.equal(two) for one, two in zip(matrix[:3], back["w"][:3])) and back["w"].bits == bits
    assert back["v"].equal(vector.half().float()) and back["v"].dtype == torch.float32
    stored = load_file(path)
    assert stored["w.codes"].dtype == torch.uint8 and stored["w.scale"].dtype == torch.float16
    assert ("w.zero" in stored) != symmetric
    assert sum(value.nbytes for name, value in stored.items() if name != "v") == matrix.size


def test_a_model_of_an_odd_width_is_saved_and_loaded(tmp_path):
    model = quantized(gpt(**ODD, std=0.3), 4, 9, False)
    path = save_packed(tmp_path / "m.safetensors", packed_tensors(model))
    loaded = load_into(gpt(**ODD, seed=1), path)
    assert loaded(IDS)[0].equal(model(IDS)[0]) and loaded.packed.keys() == model.packed.keys()
    assert packed_tensors(loaded).keys() == packed_tensors(model).keys()


def test_a_model_that_was_trained_since_is_not_saved():
    model = quantized(gpt(std=0.3), 4)
    model.blocks[0].up.weight.data[0, 0] += 1
    with pytest.raises(ValueError, match="blocks.0.up.weight has changed since it was quantized"):
        packed_tensors(model)


def test_other_bits_are_not_written(tmp_path):
    with pytest.raises(ValueError, match="w has 3 bits, and a file holds 4 or 8"):
        save_packed(tmp_path / "m.safetensors", {"w": quantize(torch.randn(2, 4), 3)})
    with pytest.raises(ValueError, match="has 5 bits, and a file holds 4 or 8"):
        packed_tensors(quantized(gpt(), 5))
    assert not list(tmp_path.iterdir())


def rewritten(path, change):
    """Let ``change(tensors, settings)`` spoil a file."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    settings = json.loads(json.loads(content[8 : 8 + length])["__metadata__"]["packed_matrices"])
    tensors = load_file(path)
    change(tensors, settings)
    save_file(tensors, path, {"packed_matrices": json.dumps(settings)})


DAMAGE = {
    "codes are missing": lambda tensors, settings: tensors.pop("w.codes"),
    "scales are missing": lambda tensors, settings: tensors.pop("w.scale"),
    "rows are missing": lambda tensors, settings: tensors.update({"w.codes": tensors["w.codes"][:3].clone()}),
    "columns are missing": lambda tensors, settings: tensors.update({"w.codes": tensors["w.codes"][:, :3].clone()}),
    "scales do not divide": lambda tensors, settings: tensors.update({"w.scale": torch.ones(4, 4).half()}),
    "zero points do not fit": lambda tensors, settings: tensors.update({"w.zero": torch.ones(4, 1).half()}),
    "one bit": lambda tensors, settings: settings["w"].update(bits=1),
    "no columns": lambda tensors, settings: settings["w"].pop("columns"),
    "numbers as codes": lambda tensors, settings: tensors.update({"w.codes": tensors["w.codes"].float()}),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_is_said(tmp_path, damage):
    path = save_packed(tmp_path / "m.safetensors", {"w": quantize(torch.randn(4, 9), 4, 3, False)})
    load_packed(path)
    rewritten(path, DAMAGE[damage])
    with pytest.raises(ValueError, match="m.safetensors is no file of save_packed, or damaged: "):
        load_packed(path)


def test_a_file_that_is_cut_missing_or_another_is_said(tmp_path):
    path = save_packed(tmp_path / "m.safetensors", {"w": quantize(torch.randn(4, 9), 4)})
    cut, plain = tmp_path / "cut.safetensors", tmp_path / "plain.safetensors"
    cut.write_bytes(path.read_bytes()[:-5])
    save_file({"w": torch.zeros(2)}, plain)
    for wrong in (cut, plain, tmp_path / "nowhere.safetensors", tmp_path):
        with pytest.raises(ValueError, match=f"{wrong.name} is no file of save_packed, or damaged: "):
            load_packed(wrong)
    with pytest.raises(ValueError, match="m.safetensors does not fit this model: "):
        load_into(gpt(), path)
