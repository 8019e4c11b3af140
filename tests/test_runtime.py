"""Device, seed and preset; what `import helpers` costs; files that are written whole or not at all."""

import random
import subprocess
import sys

import numpy
import pytest
import torch

import helpers
from helpers import runtime


def test_import_helpers_loads_nothing_heavy():
    heavy = "torch numpy pandas matplotlib ipywidgets IPython".split()
    code = f"import sys, helpers, helpers.show, helpers.corpus.conversations; print([m for m in {heavy} if m in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_start_says_what_it_found_and_seeds_everything(capsys, monkeypatch):
    monkeypatch.delenv("HELPERS_PRESET", raising=False)
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")

    def draws():
        return random.random(), numpy.random.rand(), torch.rand(()).item()

    device = runtime.start(seed=3)
    first = draws()
    assert device.torch == torch.device("cpu") and device.preset.name == "small"
    assert capsys.readouterr().out == device.words + "\n"
    assert "CPU" in device.words and "seed 3" in device.words
    runtime.start(seed=3)
    assert draws() == first
    runtime.start(seed=4)
    assert draws() != first


def test_overrides(monkeypatch, capsys):
    monkeypatch.setenv("HELPERS_DEVICE", "cpu")
    monkeypatch.setenv("HELPERS_PRESET", " Large ")
    assert runtime.start().preset == runtime.PRESETS["large"]
    monkeypatch.setenv("HELPERS_PRESET", "huge")
    with pytest.raises(ValueError, match="small, medium, large"):
        runtime.start()
    monkeypatch.setenv("HELPERS_DEVICE", "tpu")
    with pytest.raises(ValueError, match="cuda, mps, cpu"):
        runtime.start()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this computer has the device whose absence is tested")
def test_a_device_that_is_not_there_is_refused_in_words(monkeypatch):
    monkeypatch.setenv("HELPERS_DEVICE", "cuda")
    with pytest.raises(RuntimeError, match="unset it"):
        runtime.start()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_cuda_comes_first(monkeypatch, capsys):
    monkeypatch.delenv("HELPERS_DEVICE", raising=False)
    assert runtime.start().torch.type == "cuda"


def test_bf16_only_where_the_processor_lists_it(monkeypatch):
    monkeypatch.setattr(runtime, "_processor_flags", lambda: {"avx2", "avx512f"})
    assert not runtime.has_bf16("cpu")
    monkeypatch.setattr(runtime, "_processor_flags", lambda: {"avx2", "avx512_bf16"})
    assert runtime.has_bf16("cpu")
    assert not runtime.has_bf16("mps")


@pytest.mark.parametrize(
    ("capability", "bf16"), [((7, 0), False), ((7, 5), False), ((8, 0), True), ((8, 9), True), ((9, 0), True), ((12, 0), True)]
)
def test_a_gpu_has_bf16_from_capability_8_on(monkeypatch, capsys, capability, bf16):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *arguments: capability)
    assert runtime.has_bf16("cuda") is bf16
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda *arguments: "a stand-in")
    monkeypatch.setattr(runtime, "seed_everything", lambda seed: None)
    monkeypatch.setenv("HELPERS_DEVICE", "cuda")
    device = runtime.start()
    assert device.dtype == (torch.bfloat16 if bf16 else torch.float32) and device.torch.type == "cuda"
    assert ("bfloat16" in device.words) is bf16 and "a stand-in" in device.words


def test_data_path_names_what_there_is():
    assert helpers.data_path("prompts.json").exists()
    with pytest.raises(FileNotFoundError, match="prompts.json"):
        helpers.data_path("nothing.json")
