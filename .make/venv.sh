#!/bin/sh
# Make a virtual environment with pip in it:  venv.sh FOLDER [PYTHON]
# Made for fresh machines, so it takes what is there: any Python >= 3.10 that really runs (a name on the PATH may be a
# version manager's stub that does not), and a Debian whose Python comes without ensurepip.
folder=$1
wanted=$2

works() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 10))' >/dev/null 2>&1; }

# One that works is kept; one that lost its Python (an upgrade of the system) is made anew.
if works "$folder/bin/python" && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then exit 0; fi
rm -rf "$folder"

python=
if [ -n "$wanted" ]; then
    works "$wanted" && python=$wanted
    [ -n "$python" ] || { echo "PYTHON=$wanted does not run, or is older than Python 3.10." >&2; exit 1; }
else
    for name in python3 python3.13 python3.12 python3.11 python3.10 python; do
        if works "$name"; then python=$name; break; fi
    done
    [ -n "$python" ] || {
        echo "No Python 3.10 or newer was found. Install one, or name it: make setup PYTHON=/path/to/python3" >&2; exit 1; }
fi

echo "Making the virtual environment $folder with $("$python" --version)"

# 1. As it should be.  2. Debian without python3-venv, but with python3-pip.  3. Other tools that bring their own pip.
if "$python" -c 'import ensurepip' >/dev/null 2>&1 && "$python" -m venv "$folder"; then exit 0; fi
rm -rf "$folder"
if "$python" -m pip --version >/dev/null 2>&1 && "$python" -m venv --without-pip "$folder" &&
    "$python" -m pip --python "$folder/bin/python" install --quiet pip; then exit 0; fi
rm -rf "$folder"
if "$python" -m virtualenv --quiet "$folder" 2>/dev/null; then exit 0; fi
if command -v uv >/dev/null 2>&1 && uv venv --quiet --seed --python "$python" "$folder"; then exit 0; fi
rm -rf "$folder"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
echo "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt install python$version-venv" >&2
exit 1
