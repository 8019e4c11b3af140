"""The Makefile keeps its word: every target promised anywhere exists, works with old make, and finds a Python."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.notebooks import books

MAKEFILE = (books.ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE)
pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def make(*arguments: str, folder=books.ROOT):
    return subprocess.run(["make", *arguments], cwd=folder, capture_output=True, text=True, timeout=120)


def test_help_is_the_default_and_lists_every_target():
    shown = make().stdout
    assert shown == make("help").stdout
    assert re.findall(r"^  make ([a-z-]+) +\S", shown, re.MULTILINE) == TARGETS


def test_every_target_is_phony():
    phony = re.search(r"^\.PHONY: (help .*)$", MAKEFILE, re.MULTILINE)[1].split()
    assert phony == TARGETS


@pytest.mark.parametrize("name", ["README.md", ".github/CONTRIBUTING.md", ".github/workflows/test.yml", ".ci/run"])
def test_what_the_texts_promise_exists(name):
    text = (books.ROOT / name).read_text(encoding="utf-8")
    spans = re.findall(r"`+([^`]+)`+", text) if name.endswith(".md") else text.splitlines()
    named = {word for span in spans for word in re.findall(r"\bmake ([a-z][a-z-]+)", span)}
    assert named <= set(TARGETS)
    assert named or name in (".ci/run",)  # there the names stand behind "part"
    if name == ".ci/run":
        assert re.findall(r"^part ([a-z-]+)$", text, re.MULTILINE) == ["test", "test-portable"]


def test_the_makefile_is_old_enough():
    # GNU make 3.81 comes with macOS: no .ONESHELL (3.82), no != (4.0), no $(file) (4.0), no ::= (4.0).
    assert not re.search(r"\.ONESHELL|^\w+ *(!=|::=)|\$\(file ", MAKEFILE, re.MULTILINE)


def test_lab_opens_the_first_notebook_and_passes_arguments_on():
    shown = make("-n", "lab", "ARGS=--no-browser --port 8899").stdout
    assert "/lab/tree/notebooks/00_start_here.ipynb --no-browser --port 8899" in shown


def test_checkpoints_are_trained_by_the_zoo():
    shown = make("-n", "checkpoints", "ARGS=rnn").stdout
    assert "-m helpers bots train rnn\n" in shown + "\n"


@pytest.fixture
def path(tmp_path):
    """A PATH on which only this test's commands stand, and the few that the shell script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("rm", "rmdir", "sh", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


def command(folder, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def venv_script(path, *arguments: str):
    line = [shutil.which("sh"), str(books.ROOT / ".make" / "venv.sh"), *arguments]
    environment = {"PATH": str(path), "HOME": os.environ.get("HOME", "/")}
    return subprocess.run(line, cwd=path.parent, env=environment, capture_output=True, text=True, timeout=120)


def test_it_takes_the_first_python_that_really_runs(path):
    command(path, "python3", "echo 'pyenv: python3: command not found' >&2; exit 127")  # a stub without a Python
    command(path, "python3.13", 'case "$2" in *version_info*) exit 1;; esac')  # says it is too old
    command(path, "python3.12", f'exec "{sys.executable}" "$@"')
    done = venv_script(path, "new")
    assert done.returncode == 0, done.stderr
    assert (path.parent / "new" / "bin" / "python").exists()
    # A second run keeps what works.
    marker = path.parent / "new" / "marker"
    marker.touch()
    assert venv_script(path, "new").returncode == 0 and marker.exists()


def test_no_python_is_one_clear_sentence(path):
    done = venv_script(path, "new")
    assert done.returncode == 1 and "No Python from 3.10 to 3.14 that torch has packages for was found." in done.stderr
    done = venv_script(path, "new", "python9")
    assert done.returncode == 1 and "PYTHON=python9 does not run" in done.stderr


def test_debian_without_venv_is_one_clear_sentence(path):
    # A Python without ensurepip and without pip, as Debian ships it: -m anything fails, `import ensurepip` too.
    refuse = 'case "$*" in *ensurepip*|"-m "*) exit 1;; esac'
    command(path, "python3", f'{refuse}\nexec "{sys.executable}" "$@"')
    done = venv_script(path, "new")
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].endswith(f"sudo apt install python{version}-venv")
    assert not (path.parent / "new").exists()


def test_debian_with_pip_alone_is_enough(path):
    refuse = 'case "$*" in *ensurepip*) exit 1;; esac'
    # pip is asked to install itself into the new environment; without a network a file in its place must do.
    stand_in = 'case "$1 $2" in "-m pip") [ "$3" = --python ] && touch "${4%python}pip"; exit 0;; esac'
    command(path, "python3", f'{refuse}\n{stand_in}\nexec "{sys.executable}" "$@"')
    (path / "touch").symlink_to(shutil.which("touch"))
    done = venv_script(path, "new")
    assert done.returncode == 0, done.stderr
    assert (path.parent / "new" / "bin" / "pip").exists()


def pretending(path, name: str, before: str) -> None:
    """Put a Python on the PATH that takes itself for another: ``before`` runs ahead of what is asked of it with -c."""
    code = f"exec \"{sys.executable}\" -c \"{before}; exec(__import__('os').environ['ASKED'])\""
    command(path, name, f'case "$1" in -c) ASKED="$2"; export ASKED; {code};; *) exec "{sys.executable}" "$@";; esac')


NEW = "import sys; sys.version_info = (3, 99, 0)"


def test_a_python_that_is_too_new_is_passed_over(path):
    pretending(path, "python3", NEW)
    done = venv_script(path, "new")
    assert done.returncode == 1 and not (path.parent / "new").exists()
    assert (
        done.stderr.count("\n") == 1 and "python3 is too new: torch has no packages for Python 3.99 yet" in done.stderr
    )
    done = venv_script(path, "new", "python3")
    assert done.returncode == 1 and done.stderr.startswith("PYTHON=python3 is too new")
    command(path, "python3.12", f'exec "{sys.executable}" "$@"')
    assert venv_script(path, "new").returncode == 0 and (path.parent / "new" / "bin" / "python").exists()


@pytest.mark.parametrize(
    ("before", "words"),
    [
        ("import sys; sys.version_info = (3, 9, 1)", "is older than Python 3.10"),
        ("import sys; sys.maxsize = 2 ** 31 - 1", "is a 32-bit program"),
        ("import sys, platform; sys.platform = 'darwin'; platform.machine = lambda: 'x86_64'", "Intel Mac"),
        ("import sys, platform; sys.platform = 'linux'; platform.machine = lambda: 'riscv64'", "Linux (riscv64"),
        ("import sys, platform; sys.platform = 'linux'; platform.libc_ver = lambda: ('', '')", "no glibc"),
    ],
)
def test_a_computer_without_packages_is_refused_before_anything_is_downloaded(path, before, words):
    pretending(path, "python3", before)
    done = venv_script(path, "new")
    assert done.returncode == 1 and words in done.stderr and done.stderr.count("\n") == 1
    assert not (path.parent / "new").exists()


def test_every_python_from_the_first_to_the_last_is_looked_for():
    known = re.findall(r"Python :: (3\.\d+)", (books.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    script = (books.ROOT / ".make" / "venv.sh").read_text(encoding="utf-8")
    assert f"in python3 {' '.join(f'python{version}' for version in reversed(known))} python;" in script
    assert f"No Python from {known[0]} to {known[-1]}" in script


def test_a_folder_that_is_no_environment_is_never_deleted(path):
    command(path, "python3", f'exec "{sys.executable}" "$@"')
    (path.parent / "new").mkdir()
    (path.parent / "new" / "diary.txt").write_text("dear diary")
    done = venv_script(path, "new")
    assert done.returncode == 1 and "no virtual environment: move it away" in done.stderr
    assert (path.parent / "new" / "diary.txt").read_text() == "dear diary"


@pytest.fixture
def pip():
    spec = importlib.util.spec_from_file_location("course_pip", books.ROOT / ".make" / "pip.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_pip_keeps_how_packages_are_reached_and_nothing_else(pip):
    listed = "global.index-url='https://example.org/simple'\nglobal.user='true'\ninstall.target='/elsewhere'\n"
    listed += "global.find-links='/a\\n/b'\n:env:.prefix='/usr'\nlist.format='json'\n"
    known = {"PIP_USER": "1", "PIP_CONSTRAINT": "c.txt", "PIP_PROXY": "http://example.org:1", "HOME": "/home/ann"}
    assert pip.environment(listed, known) == {
        "HOME": "/home/ann",
        "PIP_PROXY": "http://example.org:1",
        "PIP_INDEX_URL": "https://example.org/simple",
        "PIP_FIND_LINKS": "/a\n/b",
        "PIP_CONFIG_FILE": os.devnull,
    }
    # A variable of this moment wins over the file.
    assert (
        pip.environment("global.index-url='https://a'", {"PIP_INDEX_URL": "https://b"})["PIP_INDEX_URL"] == "https://b"
    )


def test_every_installation_goes_through_it():
    texts = MAKEFILE + (books.ROOT / ".make" / "install.sh").read_text(encoding="utf-8")
    lines = [line for line in texts.splitlines() if re.search(r"\bpip\b.* install\b", line)]
    assert len(lines) == 3 and all("pip.py" in line for line in lines)


def test_a_person_s_pip_settings_do_not_reach_the_environment(tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nuser = true\nno-index = true\n[install]\ntarget = /elsewhere\n")
    own = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1"}
    line = [sys.executable, str(books.ROOT / ".make" / "pip.py"), "config", "debug"]
    done = subprocess.run(line, env=os.environ | own, capture_output=True, text=True, check=True)
    assert "PIP_NO_INDEX='true'" in done.stdout
    assert not any(name in done.stdout for name in ("PIP_USER", "PIP_TARGET", "elsewhere", "REQUIRE_VIRTUALENV"))


COPIED = ("Makefile", "pyproject.toml", "constraints.txt", ".make")


@pytest.fixture(params=["course", 'Anna\'s $HOME `try` "1"', "a,b (c) #d"])
def copy(request, tmp_path):
    """The Makefile and what it needs in a folder of an ordinary or a strange name, with an environment that looks made."""
    folder = tmp_path / request.param
    for name in ("helpers", "tests", "notebooks"):
        (folder / name).mkdir(parents=True)
    for name in COPIED:
        source = books.ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    (folder / "notebooks" / "00_start_here.ipynb").write_text("{}")
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "pyvenv.cfg").touch()
    command(folder / ".venv" / "bin", "python", 'printf "%s|" "$@" > ran; env > environment')
    (folder / ".venv" / ".installed").write_text(f"{folder.resolve()}\n")
    return folder


def test_lab_serves_the_course_whatever_a_person_has_set(copy):
    done = make("lab", folder=copy)
    assert done.returncode == 0, done.stderr
    words = (copy / "ran").read_text().split("|")
    assert f"--ServerApp.root_dir={copy.resolve()}" in words
    environment = (copy / "environment").read_text().splitlines()
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        assert any(line.startswith(f"{name}={copy.resolve()}/.venv/") for line in environment), name
    assert not any(line.startswith(("MATPLOTLIBRC=", "PYTHONSTARTUP=", "JUPYTER_PATH=")) for line in environment)


def test_clean_touches_only_what_make_made(copy):
    kept = [
        "notebooks/week/homework.ipynb",
        "notebooks/__pycache__ of mine/a.txt",
        "dist/thesis.pdf",
        "build/house.txt",
    ]
    kept += ["build/training/gpt.pt", "elsewhere/.ipynb_checkpoints/a.ipynb", ".venv-colab/mine.txt"]
    gone = ["notebooks/week 1/.ipynb_checkpoints/a.ipynb", "notebooks/Anna's try/.ipynb_checkpoints/b.ipynb"]
    gone += ["helpers/a\nb/__pycache__/c.pyc", "build/student/00.ipynb"]
    for name in kept + gone:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_text("mine")
    (copy / "notebooks" / "link").symlink_to(copy / "elsewhere")
    done = make("clean", folder=copy)
    assert done.returncode == 0, done.stderr
    assert [name for name in kept if not (copy / name).exists()] == []
    assert [name for name in [*gone, ".venv"] if (copy / name).exists()] == []
    assert make("clean", folder=copy).returncode == 0  # nothing left to do


def test_git_keeps_line_ends():
    rules = (books.ROOT / ".gitattributes").read_text(encoding="utf-8").splitlines()
    assert "* text=auto eol=lf" in rules
    asked = [
        ".make/venv.sh",
        "Makefile",
        "data/checkpoints/rnn/tokenizer.json",
        "data/checkpoints/rnn/model.safetensors",
    ]
    done = subprocess.run(
        ["git", "check-attr", "eol", "binary", "--", *asked], cwd=books.ROOT, capture_output=True, text=True
    )
    if done.returncode:
        pytest.skip("git is not installed, or this is no clone")
    assert [line for line in done.stdout.splitlines() if line.endswith(("eol: lf", "binary: set"))] == [
        ".make/venv.sh: eol: lf",
        "Makefile: eol: lf",
        "data/checkpoints/rnn/tokenizer.json: eol: lf",
        "data/checkpoints/rnn/model.safetensors: eol: lf",
        "data/checkpoints/rnn/model.safetensors: binary: set",
    ]
