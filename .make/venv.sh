#!/bin/sh
# Make a virtual environment with pip in it:  venv.sh FOLDER [PYTHON]
# Made for fresh machines, so it takes what is there: any Python that really runs (a name on the PATH may be a version
# manager's stub that does not) and is of a version that pyproject.toml names, and a Debian whose Python comes without
# ensurepip. What cannot work is refused in one sentence, before anything is downloaded.
folder=$1
wanted=$2
here=${0%/*}
refuse() { echo "$*" >&2; exit 1; }

case $PWD in *:* | *'
'*) refuse "Below a folder with a colon or a line break in its name no virtual environment can be made: $PWD";; esac

# The versions stand in pyproject.toml and nowhere else. Newest first: "3.14 3.13 …".
versions=
while IFS= read -r line; do
    case $line in *"Python :: 3."*) line=${line##*:: }; versions="${line%%\"*}${versions:+ $versions}";; esac
done < "$here/../pyproject.toml"
range="Python from ${versions##* } to ${versions%% *}"

# Print why a Python does not fit, and nothing where it does. "runs on …" is about the computer: no other Python helps.
# glibc 2.28 and macOS 14 are what the packages of torch are built for, in the version that constraints.txt pins.
unfit() {
    VERSIONS=$versions "$1" -c '
import os, platform, sys, sysconfig
def number(version): return [int(part) for part in version.split(".")[:2]]
supported = [number(version) for version in os.environ["VERSIONS"].split()]
here, machine, libc = list(sys.version_info[:2]), platform.machine().lower(), platform.libc_ver()
known_linux = machine in ("x86_64", "aarch64") and libc[0] == "glibc" and number(libc[1]) >= [2, 28]
if sys.platform == "darwin" and machine != "arm64" and "ARM64" in platform.version():
    print("is a Python for Intel Macs, and this Mac needs one for Apple silicon")
elif sys.platform == "darwin" and machine != "arm64":
    print("runs on an Intel Mac, and torch has had no packages for these since version 2.2")
elif sys.platform == "darwin" and number(platform.mac_ver()[0] or "14") < [14]:
    print("runs on macOS %s, and torch has packages for macOS 14 and newer" % platform.mac_ver()[0])
elif sys.platform not in ("darwin", "linux"):
    print("runs on %s, and the course needs Linux, macOS, or WSL on Windows" % platform.system())
elif sys.platform == "linux" and not known_linux:
    print("runs on a Linux that torch has no packages for (%s, %s)" % (machine, " ".join(libc).strip() or "no glibc"))
elif here < min(supported):
    print("is older than Python %d.%d" % tuple(min(supported)))
elif here > max(supported):
    print("is too new: torch has no packages for Python %d.%d yet" % tuple(here))
elif sys.implementation.name != "cpython" or sys.maxsize < 2 ** 32 or sysconfig.get_config_var("Py_GIL_DISABLED"):
    print("is not the usual kind: there are packages for a 64-bit CPython with its GIL")
' 2>/dev/null || echo "does not run"
}

# One that works is kept; one that lost its Python (an upgrade of the system) is made anew.
if [ -z "$(unfit "$folder/bin/python")" ] && "$folder/bin/python" -m pip --version >/dev/null 2>&1; then exit 0; fi

python=
refused=
try() {
    why=$(unfit "$1")
    case $why in
        "") python=$1;;
        "does not run") ;;
        *) refused=${refused:-$1 $why};;
    esac
}
if [ -n "$wanted" ]; then
    try "$wanted"
    [ -n "$python" ] || refused="PYTHON=${refused:-$wanted does not run}"
else
    for name in python3 $(for version in $versions; do echo "python$version"; done) python; do
        [ -n "$python" ] || try "$name"
    done
fi
if [ -z "$python" ]; then
    case $refused in
        *" runs on "*) refuse "$refused. The notebooks open in Colab instead: see README.md";;
        *) refuse "${refused:-No $range was found}. Install a $range, or name one: make setup PYTHON=/path/to/python3";;
    esac
fi

# Only an environment is deleted here, never a folder that somebody else put there. (Below, what was begun below.)
if [ -f "$folder/pyvenv.cfg" ] || [ -L "$folder" ]; then rm -rf "$folder"; fi
[ ! -e "$folder" ] || rmdir "$folder" 2>/dev/null ||
    refuse "There is a folder $folder that is no virtual environment: move it away, then try again."
echo "Making the virtual environment $folder with $("$python" --version)"

# 1. As it should be.  2. Debian without python3-venv, but with python3-pip.  3. Other tools that bring their own pip.
has_ensurepip=
if "$python" -c 'import ensurepip' >/dev/null 2>&1; then has_ensurepip=yes; "$python" -m venv "$folder" && exit 0; fi
rm -rf "$folder"
if "$python" -m pip --version >/dev/null 2>&1 && "$python" -m venv --without-pip "$folder" &&
    "$python" "$here/pip.py" --python "$folder/bin/python" install --quiet pip; then exit 0; fi
rm -rf "$folder"
if "$python" -m virtualenv --quiet "$folder" 2>/dev/null; then exit 0; fi
if command -v uv >/dev/null 2>&1 && uv venv --quiet --seed --python "$python" "$folder"; then exit 0; fi
rm -rf "$folder"
[ -z "$has_ensurepip" ] ||
    refuse "Python could not fill the folder $folder. Is there room on the disk and in ${TMPDIR:-/tmp}, and may you write here?"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
refuse "This Python cannot make virtual environments. On Debian or Ubuntu: sudo apt install python$version-venv"
