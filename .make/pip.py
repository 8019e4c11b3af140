"""pip inside a virtual environment, without the settings a person has made for other projects:  pip.py ARGUMENTS

Run it with the environment's Python. Of the user's own files and PIP_… variables only those are kept that say how packages
are reached (an index of one's own, a proxy, a certificate); what would install elsewhere or otherwise (user, target, prefix,
constraint, …) is left out.
"""

import ast
import configparser
import os
import subprocess
import sys
import tempfile

KEPT = (
    "cache-dir", "cert", "client-cert", "default-timeout", "disable-pip-version-check", "extra-index-url", "find-links",
    "index-url", "keyring-provider", "no-cache-dir", "no-index", "proxy", "retries", "timeout", "trusted-host",
)  # fmt: skip
NO_ROOM = ("Errno 28", "Errno 122", "No space left", "quota exceeded")
FULL = (
    "No room is left on the disk or in {}. Make some (README.md says how much), or use another: TMPDIR=/path make setup"
)


def environment(listed: str, known: dict) -> dict:
    """Return the variables for pip: ``known`` ones, and what ``pip config list`` printed, as far as they are KEPT."""
    settings = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        settings[key] = str(ast.literal_eval(value))
    own = configparser.RawConfigParser()  # the one file that pip does not list
    own.read(known.get("PIP_CONFIG_FILE", os.devnull), encoding="utf-8")
    for section in own.sections():
        settings |= {f"{section}.{name.replace('_', '-')}": value for name, value in own.items(section)}
    variables = {name: value for name, value in known.items() if not name.startswith("PIP_")}
    for name in KEPT:
        variable = "PIP_" + name.upper().replace("-", "_")
        for value in (settings.get(f"global.{name}"), settings.get(f"install.{name}"), known.get(variable)):
            if value is not None:  # the last one wins, as in pip
                variables[variable] = value
    return variables | {"PIP_CONFIG_FILE": os.devnull}


def main(arguments: list[str]) -> int:
    pip = [sys.executable, "-m", "pip"]
    known = dict(os.environ)
    known.pop("PIP_PYTHON", None)  # with it `pip config list` would look for another Python
    listed = subprocess.run([*pip, "config", "list"], env=known, capture_output=True, text=True)
    if listed.returncode:  # a file that pip cannot read: its own words name it
        sys.stderr.write(listed.stderr)
        return listed.returncode
    process = subprocess.Popen(
        [*pip, *arguments], env=environment(listed.stdout, known), stderr=subprocess.PIPE, text=True, errors="replace"
    )
    full = False
    for line in process.stderr:
        sys.stderr.write(line)
        full = full or any(words in line for words in NO_ROOM)
    if process.wait() and full:
        print(FULL.format(tempfile.gettempdir()), file=sys.stderr)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
