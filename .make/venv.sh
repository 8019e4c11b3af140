#!/bin/sh
# Make a virtual environment with pip in it:  venv.sh FOLDER [PYTHON]
# Made for fresh machines, so it takes what is there: any Python that really runs (a name on the PATH may be a version
# manager's stub that does not) and is of a version that pyproject.toml names, and a Debian whose Python comes without
# ensurepip. What cannot work is refused in one sentence, before anything is downloaded.
folder=$1
wanted=$2
PROJECT=${0%/*}/../pyproject.toml
export PROJECT

# Says nothing where a Python fits, and what is wrong with it otherwise.
wrong() {
    "$1" -c '
import os, platform, re, sys
known = [int(minor) for minor in re.findall("Python :: 3.([0-9]+)", open(os.environ["PROJECT"]).read())]
machine = platform.machine().lower()
if sys.version_info < (3, known[0]):
    print("is older than Python 3.%d" % known[0])
elif sys.version_info >= (3, known[-1] + 1):
    print("is too new: torch has no packages for Python %d.%d yet" % sys.version_info[:2])
elif sys.maxsize < 2 ** 32:
    print("is a 32-bit program, and torch has only 64-bit packages")
elif sys.platform == "darwin" and machine == "x86_64":
    print("runs on an Intel Mac (or is a Python for one), and torch has had no packages for these since 2.2: use Colab")
elif sys.platform == "linux" and (machine not in ("x86_64", "amd64", "aarch64", "arm64") or platform.libc_ver()[0] != "glibc"):
    print("runs on a Linux (%s, %s) that torch has no packages for" % (machine, platform.libc_ver()[0] or "no glibc"))
' 2>/dev/null || echo "does not run"
}
works() { [ -z "$(wrong "$1")" ]; }

# One that works is kept; one that lost its Python (an upgrade of the system) is made anew. Nothing else is deleted.
if [ -x "$folder/bin/python" ] && works "$folder/bin/python" && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then
    exit 0
fi
remove() {
    if [ -f "$folder/pyvenv.cfg" ] || [ -L "$folder" ]; then rm -rf "$folder"; fi
    [ ! -e "$folder" ] || rmdir "$folder" 2>/dev/null || {
        echo "There is a folder $folder that is no virtual environment: move it away, then try again." >&2; exit 1; }
}
case $PWD in *:*) echo "No virtual environment can be made below a folder with a colon in its name: $PWD" >&2; exit 1;; esac
remove

python=
reason=
if [ -n "$wanted" ]; then
    reason=$(wrong "$wanted")
    [ -z "$reason" ] || { echo "PYTHON=$wanted $reason." >&2; exit 1; }
    python=$wanted
else
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
        if works "$name"; then python=$name; break; fi
        case $(wrong "$name") in *"does not run"*) ;; *) reason="; $name $(wrong "$name")";; esac
    done
    [ -n "$python" ] || {
        echo "No Python from 3.10 to 3.14 that torch has packages for was found$reason." \
            "Install one, or name it: make setup PYTHON=/path/to/python3" >&2; exit 1; }
fi

echo "Making the virtual environment $folder with $("$python" --version)"

# 1. As it should be.  2. Debian without python3-venv, but with python3-pip.  3. Other tools that bring their own pip.
if "$python" -c 'import ensurepip' >/dev/null 2>&1 && "$python" -m venv "$folder"; then exit 0; fi
remove
if "$python" -m pip --version >/dev/null 2>&1 && "$python" -m venv --without-pip "$folder" &&
    PIP_USER=0 "$python" -m pip --python "$folder/bin/python" install --quiet pip; then exit 0; fi
remove
if "$python" -m virtualenv --quiet "$folder" 2>/dev/null; then exit 0; fi
if command -v uv >/dev/null 2>&1 && uv venv --quiet --seed --python "$python" "$folder"; then exit 0; fi
remove
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
echo "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt install python$version-venv" >&2
exit 1
