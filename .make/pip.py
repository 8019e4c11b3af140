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

KEPT = (
    "cache-dir", "cert", "client-cert", "default-timeout", "disable-pip-version-check", "extra-index-url", "find-links",
    "index-url", "keyring-provider", "no-cache-dir", "no-index", "proxy", "retries", "timeout", "trusted-host",
)  # fmt: skip
FULL = (
    "There is no room left on the disk. Free some (the course needs 5 GB), or name a larger temporary folder: TMPDIR=…"
)


def environment(listed: str, known: dict) -> dict:
    """Return the variables for pip: ``known`` ones, and what ``pip config list`` printed, as far as they are KEPT."""
    settings = {}
    for line in listed.splitlines():
        key, _, value = line.partition("=")
        settings[key] = str(ast.literal_eval(value))
    own = configparser.RawConfigParser()  # the one file that pip does not list
    own.read(known.get("PIP_CONFIG_FILE", os.devnull), encoding="utf-8")
    settings |= {f"{section}.{name}": value for section in own.sections() for name, value in own.items(section)}
    variables = {name: value for name, value in known.items() if not name.startswith("PIP_")}
    for name in KEPT:
        variable = "PIP_" + name.upper().replace("-", "_")
        for value in (settings.get(f"global.{name}"), settings.get(f"install.{name}"), known.get(variable)):
            if value is not None:  # the last one wins, as in pip
                variables[variable] = value
    return variables | {"PIP_CONFIG_FILE": os.devnull}


def main(arguments: list[str]) -> int:
    pip = [sys.executable, "-m", "pip"]
    listed = subprocess.run([*pip, "config", "list"], capture_output=True, text=True).stdout
    status = subprocess.run([*pip, *arguments], env=environment(listed, dict(os.environ))).returncode
    if status:
        import shutil
        import tempfile

        places = (tempfile.gettempdir(), sys.prefix)
        if min(shutil.disk_usage(place).free for place in places) < 100_000_000:
            print(FULL, file=sys.stderr)
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
