"""What `make setup` runs: .make/venv.sh takes a Python that fits or says why none does, .make/pip.py reads no one's settings."""

import importlib.util
import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.notebooks import books

VERSIONS = re.findall(r"Python :: (3\.\d+)", (books.ROOT / "pyproject.toml").read_text(encoding="utf-8"))
OLDEST, NEWEST = VERSIONS[0], VERSIONS[-1]


@pytest.fixture
def path(tmp_path):
    """A PATH on which only this test's commands stand, and the few that the shell script needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("rm", "rmdir", "mkdir", "sh", "cat"):
        (folder / name).symlink_to(shutil.which(name))
    return folder


# A Python that makes environments in no time, and is the real one otherwise.
VENV = 'case "$1 $2" in "-m venv") mkdir -p "$3/bin"; exec cat "$0" > "$3/bin/python";; esac'
PYTHON = f'{VENV}\nexec "{sys.executable}" "$@"'


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
    cure = f"Install a Python from {OLDEST} to {NEWEST}, or name one: make setup PYTHON=/path/to/python3\n"
    assert done.returncode == 1 and done.stderr == f"No Python from {OLDEST} to {NEWEST} was found. {cure}"
    done = venv_script(path, "new", "python9")
    assert done.returncode == 1 and done.stderr == f"PYTHON=python9 does not run. {cure}"


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
    stand_in = 'case "$1 $2" in *"pip.py --python") touch "${3%python}pip"; exit 0;; esac'
    command(path, "python3", f'{refuse}\n{stand_in}\nexec "{sys.executable}" "$@"')
    (path / "touch").symlink_to(shutil.which("touch"))
    done = venv_script(path, "new")
    assert done.returncode == 0, done.stderr
    assert (path.parent / "new" / "bin" / "pip").exists()


def pretending(path, name: str, before: str) -> None:
    """Put a Python on the PATH that takes itself for another: ``before`` runs ahead of what is asked of it with -c."""
    code = f"exec \"{sys.executable}\" -c \"{before}\nexec(__import__('os').environ['ASKED'])\""
    command(path, name, f'case "$1" in -c) ASKED="$2"; export ASKED; {code};; esac\n{PYTHON}')


NEW = "import sys; sys.version_info = (3, 99, 0)"


def test_a_python_that_is_too_new_is_passed_over(path):
    pretending(path, "python3", NEW)
    done = venv_script(path, "new")
    assert done.returncode == 1 and not (path.parent / "new").exists()
    assert done.stderr == (
        "python3 is too new: torch has no packages for Python 3.99 yet. "
        f"Install a Python from {OLDEST} to {NEWEST}, or name one: make setup PYTHON=/path/to/python3\n"
    )
    done = venv_script(path, "new", "python3")
    assert done.returncode == 1 and done.stderr.startswith("PYTHON=python3 is too new")
    command(path, "python3.12", PYTHON)
    assert venv_script(path, "new").returncode == 0 and (path.parent / "new" / "bin" / "python").exists()


LINUX = "import sys, platform, sysconfig; sys.platform = 'linux'; platform.machine = lambda: 'x86_64'; "
LINUX += "platform.libc_ver = lambda: ('glibc', '2.28'); "
MAC = "import sys, platform, sysconfig; sys.platform = 'darwin'; platform.machine = lambda: 'arm64'; "
MAC += "sysconfig.get_config_var = lambda name: 0; "
MAC += "platform.version = lambda: 'Darwin Kernel RELEASE_ARM64'; platform.mac_ver = lambda: ('14.0', (), 'arm64'); "
INTEL = MAC + "platform.machine = lambda: 'x86_64'; "


@pytest.mark.parametrize("before", [LINUX, MAC, LINUX + "platform.machine = lambda: 'aarch64'"])
def test_a_computer_that_torch_has_packages_for_is_taken(path, before):
    pretending(path, "python3", before)
    assert venv_script(path, "new").returncode == 0 and (path.parent / "new" / "bin" / "python").exists()


@pytest.mark.parametrize(
    ("before", "words", "cure"),
    [
        (LINUX + "sys.version_info = (3, 9, 1)", f"is older than Python {OLDEST}", "PYTHON="),
        (LINUX + "sys.maxsize = 2 ** 31 - 1", "64-bit CPython", "PYTHON="),
        (LINUX + "sys.implementation.name = 'pypy'", "64-bit CPython", "PYTHON="),
        (LINUX + "sysconfig.get_config_var = lambda name: name == 'Py_GIL_DISABLED'", "with its GIL", "PYTHON="),
        (LINUX + "platform.machine = lambda: 'riscv64'", "(riscv64, glibc 2.28)", "Colab"),
        (LINUX + "platform.libc_ver = lambda: ('', '')", "(x86_64, no glibc)", "Colab"),
        (LINUX + "platform.libc_ver = lambda: ('glibc', '2.17')", "(x86_64, glibc 2.17)", "Colab"),
        (INTEL, "is a Python for Intel Macs", "PYTHON="),
        (INTEL + "platform.version = lambda: 'Darwin Kernel RELEASE_X86_64'", "runs on an Intel Mac", "Colab"),
        (MAC + "platform.mac_ver = lambda: ('13.6.1', (), 'arm64')", "runs on macOS 13.6.1", "Colab"),
        ("import sys, platform; sys.platform = 'win32'; platform.system = lambda: 'Windows'", "runs on Windows", "WSL"),
    ],
)
def test_a_computer_without_packages_is_refused_before_anything_is_downloaded(path, before, words, cure):
    pretending(path, "python3", before)
    done = venv_script(path, "new")
    assert done.returncode == 1 and words in done.stderr and cure in done.stderr and done.stderr.count("\n") == 1
    assert not (path.parent / "new").exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_every_python_from_the_oldest_to_the_newest_is_looked_for(path, version):
    command(path, f"python{version}", PYTHON)
    assert venv_script(path, "new").returncode == 0


def test_an_environment_of_a_python_that_is_too_new_is_made_anew_where_another_stands_beside_it(path):
    pretending(path, "python3", NEW)
    (path.parent / "new" / "bin").mkdir(parents=True)
    (path.parent / "new" / "pyvenv.cfg").touch()
    shutil.copy(path / "python3", path.parent / "new" / "bin" / "python")
    assert venv_script(path, "new").returncode == 1
    assert (path.parent / "new" / "bin" / "python").exists()  # without another, the old one is not taken away
    command(path, f"python{OLDEST}", PYTHON)
    assert venv_script(path, "new").returncode == 0


def test_no_room_is_one_clear_sentence_and_nothing_is_left(path):
    full = 'case "$*" in "-m venv"*) mkdir new; echo "[Errno 28] No space left on device" >&2; exit 1;; "-m "*) exit 1;; esac'
    command(path, "python3", f"{full}\n{PYTHON}")
    done = venv_script(path, "new")
    assert done.returncode == 1 and not (path.parent / "new").exists()
    assert "Is there room on the disk and in /tmp" in done.stderr.splitlines()[-1] and "apt" not in done.stderr


def test_a_folder_of_a_name_that_python_refuses_is_one_clear_sentence(tmp_path):
    folder = tmp_path / "a:b" / "bin"
    folder.mkdir(parents=True)
    done = venv_script(folder, "new")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "colon" in done.stderr


def test_a_folder_that_is_no_environment_is_never_deleted(path):
    command(path, "python3", PYTHON)
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
    files = ("Makefile", ".make/install.sh", ".make/venv.sh")
    texts = "\n".join((books.ROOT / name).read_text(encoding="utf-8") for name in files)
    lines = [line for line in texts.splitlines() if re.search(r"\bpip\b.* install\b", line)]
    assert len(lines) == 6 and all("pip.py" in line for line in lines)


def test_a_person_s_pip_settings_do_not_reach_the_environment(tmp_path):
    (tmp_path / "pip.conf").write_text("[global]\nuser = true\nno-index = true\n[install]\ntarget = /elsewhere\n")
    own = {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf"), "PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1"}
    line = [sys.executable, str(books.ROOT / ".make" / "pip.py"), "config", "debug"]
    done = subprocess.run(line, env=os.environ | own, capture_output=True, text=True, check=True)
    assert "PIP_NO_INDEX='true'" in done.stdout
    assert not any(name in done.stdout for name in ("PIP_USER", "PIP_TARGET", "elsewhere", "REQUIRE_VIRTUALENV"))


@pytest.fixture
def full_pip(tmp_path):
    """Return variables with which `python -m pip` is a stand-in that finds no room, and lists no settings."""
    (tmp_path / "pip").mkdir()
    (tmp_path / "pip" / "__init__.py").touch()
    words = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"
    code = f"import sys\nif sys.argv[1] == 'install':\n    sys.exit({words!r})\n"
    (tmp_path / "pip" / "__main__.py").write_text(code)
    return os.environ | {"PYTHONPATH": str(tmp_path), "TMPDIR": str(tmp_path)}


def test_a_full_temporary_folder_is_told_with_the_cure(full_pip, tmp_path):
    line = [sys.executable, str(books.ROOT / ".make" / "pip.py"), "install", "torch"]
    done = subprocess.run(line, env=full_pip, capture_output=True, text=True)
    assert done.returncode == 1 and "[Errno 28]" in done.stderr
    assert f"No room is left on the disk or in {tmp_path}." in done.stderr and "TMPDIR=" in done.stderr


def test_a_settings_file_that_pip_cannot_read_stops_with_pip_s_own_words(tmp_path):
    (tmp_path / "pip.conf").write_text("nonsense\n")
    line = [sys.executable, str(books.ROOT / ".make" / "pip.py"), "install", "torch"]
    done = subprocess.run(
        line, env=os.environ | {"PIP_CONFIG_FILE": str(tmp_path / "pip.conf")}, capture_output=True, text=True
    )
    assert done.returncode != 0 and "pip.conf" in done.stderr and "Traceback" not in done.stderr


def test_the_readme_names_the_same_computers_as_the_refusals():
    text = (books.ROOT / "README.md").read_text(encoding="utf-8")
    script = (books.ROOT / ".make" / "venv.sh").read_text(encoding="utf-8")
    glibc, macos = re.search(r"number\(libc\[1\]\) >= \[(\d+), (\d+)\]", script), re.search(r"< \[(\d+)\]", script)
    assert f"glibc {glibc[1]}.{glibc[2]} or newer" in text and f"macOS {macos[1]} or newer" in text
