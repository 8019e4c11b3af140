"""The wheel works where it was not made: in a fresh virtual environment, in another folder, without a network."""

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ASKED = "Where are you from?"
# The course comes from the new environment, torch and the others from ours.
PLACES = """
import helpers
from helpers.bots import checkpoints

print(helpers.__version__, helpers.__file__, helpers.data_path("course.json"), sep="\\n")
print(checkpoints.load("gpt-chat").reply(["Where are you from?"], temperature=0))
"""


def install(wheel: Path, folder: Path) -> Path:
    """Install a wheel into a fresh environment in ``folder`` and return its Python.

    Nothing is downloaded: the packages that the course needs are taken from the environment that runs this.
    Raises ValueError with pip's own words where it fails.
    """
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    python = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"the wheel cannot be installed: {done.stderr.strip().splitlines()[-1]}")
    # A folder that a .pth file names comes after the environment's own packages, and its own .pth files are not read:
    # the course of the working tree, installed there as editable, stays out.
    (own,) = folder.glob("lib/python3*/site-packages")
    places = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    (own / "course-needs.pth").write_text("".join(f"{place}\n" for place in places), encoding="utf-8")
    return python


def environment() -> dict[str, str]:
    """Return this process's variables without those that lead Python, pip or the course elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP_", "HELPERS_", "GIT_"))}
    return kept | {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONNOUSERSITE": "1"}


def try_out(python: Path, folder: Path, version: str) -> list[str]:
    """Run the command line and a bot from ``folder`` with the Python of a fresh environment; say what does not work."""
    folder.mkdir(parents=True, exist_ok=True)
    found, home = [], python.parents[1].resolve()

    def run(*arguments: str, said: str = "") -> list[str]:
        settings = {"cwd": folder, "env": environment(), "input": said, "capture_output": True, "text": True}
        done = subprocess.run([str(python), *arguments], **settings)
        if done.returncode:
            words = (done.stderr.strip() or "it says nothing").splitlines()[-1]
            found.append(f"{' '.join(arguments)[:60].strip()}: {words}")
        return [] if done.returncode else done.stdout.splitlines()

    bots = run("-m", "helpers", "bots", "list")
    if bots and not any(line.startswith("gpt-chat ") for line in bots):
        found.append("bots list does not name gpt-chat")
    if lines := run("-c", PLACES):
        if lines[0] != version:
            found.append(f"helpers.__version__ is {lines[0]} there, and should be {version}")
        outside = [place for place in lines[1:3] if home not in Path(place).resolve().parents]
        found += [f"{place} lies outside the new environment" for place in outside]
        if not "".join(lines[3:]).strip():
            found.append("gpt-chat is loaded there, and says nothing")
    talk = run("-m", "helpers", "chat", "gpt-chat", "--seed", "0", said=f"{ASKED}\n/quit\n")
    if talk and not any("gpt-chat> " in line and line.split("gpt-chat> ", 1)[1].strip() for line in talk):
        found.append("the chat in the terminal does not answer there")
    return found
