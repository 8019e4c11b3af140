"""Each thing of helpers lives where one looks for it: imports go one way, and no files import each other in a circle."""

import subprocess
import sys

import pytest

from tests import layout


def test_no_files_import_each_other_in_a_circle():
    assert layout.circles(layout.graph()) == []


@pytest.mark.parametrize(
    ("arrows", "expected"),
    [
        ({"a": {"b"}, "b": {"a"}, "c": {"a"}}, [["a", "b"]]),
        ({"a": {"b"}, "b": {"c"}, "c": {"a"}}, [["a", "b", "c"]]),
        ({"a": {"b", "c"}, "b": {"c"}, "c": set()}, []),
        ({"a": {"a"}}, [["a"]]),
    ],
)
def test_circles_are_seen(arrows, expected):
    assert layout.circles(arrows) == expected


def test_rooms_know_only_those_before_them():
    order = {name: number for number, name in enumerate(("", *layout.ROOMS))}
    wrong = [
        f"{name} imports {other}"
        for name, others in layout.graph().items()
        for other in others
        if (here := layout.room(name)) != (there := layout.room(other)) and name != "helpers.__main__"
        and (order[there] > order[here] or there in layout.LAST)
    ]  # fmt: skip
    assert wrong == []


@pytest.mark.parametrize(
    "line",
    [
        "from helpers.show import plots",
        "import helpers.show.plots",
        "from ...show import plots",
        "def late():\n    from helpers.show.plots import bars",
    ],
)
def test_an_import_is_seen_wherever_it_stands(line):
    known = layout.modules()
    assert layout.imports(line, "helpers.corpus.dumps.reddit", known) == {"helpers.show.plots"}


def test_every_folder_is_a_room_that_says_what_it_is():
    folders = {path.name for path in layout.PACKAGE.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    assert folders == set(layout.ROOMS)
    for name, path in layout.modules().items():
        assert path.read_text(encoding="utf-8").lstrip("r").startswith('"""'), f"{name} does not say what it is for"


def test_each_test_of_a_room_stands_where_its_module_stands():
    tests = layout.PACKAGE.parent / "tests"
    files = [path.relative_to(tests) for room in layout.ROOMS for path in (tests / room).rglob("test_*.py")]
    modules = [layout.PACKAGE / path.with_name(path.name.removeprefix("test_")) for path in files]
    wrong = [str(path) for path, module in zip(files, modules) if not module.is_file()]
    assert wrong == [], "name each after the module of helpers that it tests, or move it out of the room's folder"
    assert {path.parts[0] for path in files} >= set(layout.ROOMS) - {"checks"}  # tests/answers has the tests of checks


def test_importing_helpers_loads_nothing_heavy():
    code = "import helpers, sys; print(*sorted({'torch', 'numpy', 'pandas', 'matplotlib', 'ipywidgets'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_readme_of_helpers_lists_and_draws_what_there_is():
    assert layout.README.read_text(encoding="utf-8") == layout.readme(), "run: python -m tests.layout"
    assert layout.PICTURE.read_text(encoding="utf-8") == layout.drawing().svg + "\n", "run: python -m tests.layout"
    listing = layout.listing()
    assert all(f"`{file}`: " in listing for name in layout.ROOMS for file in layout.files(name))
