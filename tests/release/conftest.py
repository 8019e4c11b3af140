"""A small course in a clone of its own: in order, until a test spoils it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.notebooks import badges, books
from tests.release.repository import PLACEHOLDER

CHANGELOG = "# Changelog\n\n## [1.2.0] - 2027-03-01\n\n- New.\n\n## [1.1.0] - 2026-12-24\n\n- Old.\n"
CITATION = """cff-version: 1.2.0
message: Please cite it.
title: A course
authors:
  - name: The authors
version: 1.2.0
date-released: "2027-03-01"
license: MIT
preferred-citation: {type: generic, title: A course, authors: [{name: The authors}]}
"""
FILES = {
    ".github/CHANGELOG.md": CHANGELOG,
    "CITATION.cff": CITATION,
    ".gitignore": "__pycache__/\n",
    ".make/venv.sh": "exit\n",
    "README.md": "# A course\n\nSee [the license](helpers/LICENSE) and [the end](#the-end).\n\n## The end\n",
    "Makefile": "test:\n",
    "constraints.txt": "",
    "environment.yml": "",
    "data/README.md": "# Data\n",
    "data/sample_comments.jsonl": "{}\n",
    "data/mistakes.json": "{}\n",
    "data/explorables/00_a.json": "{}\n",
    "data/checkpoints/gpt-chat/model.safetensors": "numbers\n",
    "helpers/LICENSE": "MIT\n",
    "helpers/__init__.py": "",
    "helpers/__main__.py": "print('a bot')\n",
    "notebooks/00_start.ipynb": "{}\n",
    "tests/test_it.py": "",
}


def git(root: Path, *arguments: str) -> None:
    """Run git in ``root``, without any person's settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    author = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    subprocess.run(["git", *author, *arguments], cwd=root, env=environment, check=True, capture_output=True)


def put(root: Path, name: str, text: str) -> None:
    """Write a text file of the small course, with its folders."""
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text, encoding="utf-8")


def change(root: Path, name: str, old: str, new: str) -> None:
    """Put ``new`` in place of ``old``, which stands in the file, once or more often."""
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def course(tmp_path) -> Path:
    """The folder of a small course with the real pyproject.toml (but the address is the placeholder), all of it committed."""
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path / "course"
    for name, text in FILES.items():
        put(root, name, text)
    text = (books.ROOT / "pyproject.toml").read_text(encoding="utf-8")
    text = badges.stamp_text(text, f"https://github.com/{PLACEHOLDER}/one-conversation")
    put(root, "pyproject.toml", text.replace(f'version = "{books.project()["version"]}"', 'version = "1.2.0"'))
    git(root, "init", "--quiet")
    commit(root)
    return root


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--allow-empty", "-m", "state")
