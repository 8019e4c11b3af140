"""pyproject.toml (wide), constraints.txt (exact) and environment.yml (conda) tell one story."""

import ast
import re
import sys
from importlib.metadata import version

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from tests.notebooks import books, setup_cell

CONDA_NAMES = {"pytorch": "torch", "prometheus_client": "prometheus-client"}  # conda-forge's name -> PyPI's
# Pinned although nobody asks for them by name: their text reaches stored outputs, or they carry it there.
ALSO_PINNED = {"ipython", "jupyter-client", "nbconvert", "traitlets"}


def supported() -> list[str]:
    """Return the supported Pythons, oldest first: requires-python is the one place that says which."""
    oldest, beyond = re.fullmatch(r">=3\.(\d+),<3\.(\d+)", books.project()["requires-python"]).groups()
    return [f"3.{minor}" for minor in range(int(oldest), int(beyond))]


def text(name: str) -> str:
    return (books.ROOT / name).read_text(encoding="utf-8")


def wanted(book: bool = True) -> dict[str, Requirement]:
    """Return what the course asks for; without `book`, not what the book alone needs: it has an environment of its own."""
    project = books.project()
    extras = [items for name, items in project["optional-dependencies"].items() if book or name != "book"]
    lists = [project["dependencies"], *extras]
    return {item.name: item for items in lists for item in map(Requirement, items)}


def pins(file: str = "constraints.txt", python: str = "") -> list[Requirement]:
    """Return the pins of a file; with `python`, those that hold for this version."""
    every = [Requirement(line) for line in text(file).splitlines() if line.strip() and not line.startswith("#")]
    here = default_environment() | {"python_version": python, "python_full_version": f"{python}.0"}
    return [pin for pin in every if not python or pin.marker is None or pin.marker.evaluate(here)]


def conda() -> dict[str, tuple[str, str]]:
    """Return {PyPI name: (range, reason)} of each line in environment.yml."""
    lines = text("environment.yml").split("dependencies:")[1]
    rows = re.findall(r"^ +- ([\w-]+) ?([<>=!~][^ ]*)? *(?:# *(.*))?$", lines, re.MULTILINE)
    return {CONDA_NAMES.get(name, name): (span, reason) for name, span, reason in rows}


def test_every_requirement_is_a_range():
    for item in wanted().values():
        assert re.fullmatch(r">=[\d.]+", str(item.specifier)), item


@pytest.mark.parametrize("python", supported())
def test_each_python_gets_exactly_one_version_of_each_package(python):
    names = [pin.name for pin in pins(python=python)]
    assert sorted(names) == sorted(set(wanted()) | ALSO_PINNED)


@pytest.mark.parametrize("file", ["constraints.txt", "tests/notebooks/colab-constraints.txt"])
def test_pins_are_exact_and_inside_the_ranges(file):
    for pin in pins(file):
        assert re.fullmatch(r"==[\d.]+", str(pin.specifier)), pin
        if pin.name in wanted():
            assert wanted()[pin.name].specifier.contains(str(pin.specifier)[2:]), f"{pin}: {wanted()[pin.name]}"


def test_colab_installs_what_the_setup_cell_names():
    course, *named = ast.literal_eval(re.search(r"packages = (\[.*\])", setup_cell.TEMPLATE)[1])
    runtime = {Requirement(item).name for item in books.project()["dependencies"]}
    assert course == books.project()["name"] and set(named) <= runtime
    # What it does not name, Colab has: the file that imitates Colab lists all of it.
    assert runtime <= {pin.name for pin in pins("tests/notebooks/colab-constraints.txt")}


def test_conda_has_the_same_packages_ranges_and_reasons():
    found = conda()
    assert set(found) - {"python", "pip"} == set(wanted(book=False))
    assert found["python"][0] == books.project()["requires-python"]
    for name, item in wanted(book=False).items():
        assert found[name][0] == str(item.specifier), name
    for name, (_, reason) in found.items():
        assert len(reason.split()) >= 3, f"environment.yml gives no reason for {name}"


def test_the_classifiers_name_each_python():
    found = re.findall(r"Python :: (3\.\d+)", " ".join(books.project()["classifiers"]))
    assert found == supported()


def test_the_workflow_tries_each_python():
    workflow = text(".github/workflows/test.yml")
    assert re.findall(r'"([\d.]+)"', re.search(r"python: \[(.*)\]", workflow)[1]) == supported()
    assert set(re.findall(r'python-version: "([\d.]+)"', workflow)) <= set(supported())


@pytest.mark.parametrize("name", ["README.md", ".github/CONTRIBUTING.md"])
def test_who_reads_is_told_the_same_pythons(name):
    assert re.findall(r"Python (3\.\d+) to (3\.\d+)", text(name)) == [(supported()[0], supported()[-1])]
    assert not re.search(r"3\.\d+ (or newer|and newer|or later|upwards)", text(name))


def test_who_reads_is_told_which_python_is_too_new():
    beyond = int(supported()[-1].partition(".")[2]) + 1
    assert f"none for Python 3.{beyond} yet" in " ".join(text("README.md").split())


def test_pins_make_no_difference_between_pythons_that_nobody_has():
    bounds = re.findall(r'python_version [<>=]+ "([\d.]+)"', text("constraints.txt"))
    assert bounds and set(bounds) <= set(supported()[1:])


def test_the_code_is_checked_for_the_oldest_python():
    assert f'target-version = "py{supported()[0].replace(".", "")}"' in text("pyproject.toml")


OURS = books.ROOT / ".venv"


@pytest.mark.skipif(not OURS.exists() or not OURS.samefile(sys.prefix), reason="not the environment of make setup")
def test_this_environment_is_the_pinned_one():
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    ours = set(wanted(book=False)) | ALSO_PINNED
    differing = [str(pin) for pin in pins(python=here) if pin.name in ours and not pin.specifier.contains(version(pin.name))]
    assert not differing
