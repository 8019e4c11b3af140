"""The optional packages: what is missing is said in a sentence, with the command; without them every notebook still runs."""

import subprocess
import sys

import pytest

from helpers import extras
from tests.notebooks import books, copies

OFFERED = ("track", "export", "cluster", "serve")  # what `make extras` installs


def test_the_ranges_are_those_of_the_project():
    optional = books.project()["optional-dependencies"]
    assert sorted(extras.EXTRAS.values()) == sorted(name for extra in OFFERED for name in optional[extra])
    assert all(wanted.startswith(name.replace("_", "-") + ">=") for name, wanted in extras.EXTRAS.items())


def test_what_is_installed_is_not_missing(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: object())
    assert extras.missing("tensorboard", "onnx") == ""


def test_what_is_missing_is_named_with_the_command(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "onnx" else object())
    said = extras.missing("onnx", "onnxruntime")
    assert (
        said.startswith("onnx is not installed.")
        and said.endswith('pip install "onnx>=1.18"')
        and "make extras" in said
    )


def test_another_module_is_refused():
    with pytest.raises(ValueError, match="'torch' is in no extra"):
        extras.missing("torch")


def test_a_kernel_can_be_run_without_them(tmp_path):
    environment = copies.without_extras(tmp_path)
    code = "from helpers.extras import EXTRAS, missing\nprint(*[bool(missing(name)) for name in EXTRAS])\nimport tensorboard"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=books.ROOT, env=environment)
    assert done.stdout.split() == ["True"] * len(extras.EXTRAS)
    assert "ModuleNotFoundError" in done.stderr
