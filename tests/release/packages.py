"""The two packages of a release: a wheel that holds the course's package and nothing else, an sdist that holds everything.

Both are built without a network, by the hatchling that is installed, and read again from their files.
"""

import fnmatch
import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

from tests.notebooks.books import tomllib
from tests.release.repository import tracked
from tests.release.versions import project

LIMIT = 95  # megabytes: PyPI takes 100, GitHub 2,000
MUST = ("helpers/__main__.py", "helpers/_data/sample_comments.jsonl", "helpers/_data/checkpoints/gpt-chat/model.safetensors")


@dataclass
class Built:
    """A wheel built from the folder itself, the sdist, and a wheel built from that sdist."""

    wheel: Path
    sdist: Path
    again: Path


def build(root: Path, folder: Path) -> Built:
    """Build wheel and sdist of ``root`` in ``folder``. Raises ValueError with hatchling's own words where it fails."""
    _hatchling(root, folder / "first", "wheel")
    _hatchling(root, folder / "first", "sdist")
    (sdist,) = (folder / "first").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        if hasattr(tarfile, "data_filter"):
            archive.extraction_filter = tarfile.data_filter
        archive.extractall(folder / "unpacked")
    (unpacked,) = (folder / "unpacked").iterdir()
    _hatchling(unpacked, folder / "again", "wheel")
    return Built(next((folder / "first").glob("*.whl")), sdist, next((folder / "again").glob("*.whl")))


def _hatchling(root: Path, folder: Path, target: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("HATCH_", "SOURCE_DATE"))}
    done = subprocess.run(command, cwd=root, env=variables, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"the {target} cannot be built: {(done.stderr or done.stdout).strip().splitlines()[-1]}")


def wheel_names(path: Path) -> set[str]:
    """Return the files in a wheel."""
    with zipfile.ZipFile(path) as archive:
        return {name for name in archive.namelist() if not name.endswith("/")}


def sdist_names(path: Path) -> set[str]:
    """Return the files in an sdist, without its outermost folder."""
    with tarfile.open(path) as archive:
        return {name.partition("/")[2] for name in archive.getnames() if not archive.getmember(name).isdir()}


def wheel(built: Built, root: Path) -> list[str]:
    """Say what a wheel lacks and what it should not hold: git's files of helpers and data, but those pyproject.toml excludes."""
    table, about = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8")), project(root)
    excluded = table["tool"]["hatch"]["build"]["targets"]["wheel"].get("exclude", [])
    info = f"{about['name'].replace('-', '_')}-{about['version']}.dist-info"
    wanted = {f"{info}/{name}" for name in ("METADATA", "WHEEL", "RECORD")}
    wanted |= {f"{info}/licenses/{name}" for name in about["license-files"]}
    for name in tracked(root):
        if name.startswith(("helpers/", "data/")) and not _is_in(name, excluded):
            wanted.add(name.replace("data/", "helpers/_data/", 1) if name.startswith("data/") else name)
    here = wheel_names(built.wheel)
    found = [f"the wheel lacks {name}" for name in sorted((wanted | set(MUST)) - here)]
    found += [f"the wheel holds {name}, which does not belong in it" for name in sorted(here - wanted)]
    if _record(built.wheel) != _record(built.again):
        found.append("the wheel built from the sdist is another one: the sdist lacks files, or the build depends on the folder")
    return found


def _is_in(name: str, patterns: list[str]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) or name.startswith(f"{pattern.rstrip('/')}/") for pattern in patterns)


def _record(path: Path) -> list[str]:
    """Return the lines of a wheel's list of files with their hashes."""
    with zipfile.ZipFile(path) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        return sorted(archive.read(name).decode().splitlines())


def sdist(built: Built, root: Path) -> list[str]:
    """Say what an sdist lacks of what git keeps (with it the tests run and the book is built), and what it holds besides."""
    wanted, here = set(tracked(root)) | {"PKG-INFO"}, sdist_names(built.sdist)
    found = [f"the sdist lacks {name}: [tool.hatch.build.targets.sdist] in pyproject.toml" for name in sorted(wanted - here)]
    return found + [f"the sdist holds {name}, which git does not keep" for name in sorted(here - wanted)]


def sizes(built: Built) -> list[str]:
    """Say which of the two is too large for a package index."""
    return [
        f"{path.name} has {path.stat().st_size / 1e6:.0f} MB, {LIMIT} are allowed"
        for path in (built.wheel, built.sdist)
        if path.stat().st_size > LIMIT * 1e6
    ]


def metadata(built: Built, root: Path) -> list[str]:
    """Say what an index would refuse in the wheel's metadata, and what a reader of it would miss."""
    with zipfile.ZipFile(built.wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return metadata_faults(archive.read(name))


def metadata_faults(content: bytes) -> list[str]:
    """Return what is wrong with the content of a METADATA file."""
    from packaging.metadata import Metadata
    from trove_classifiers import classifiers

    try:
        known = Metadata.from_email(content, validate=True)
    except Exception as error:  # a group of errors, for which Python 3.10 has no name
        return [f"metadata: {one}" for one in getattr(error, "exceptions", [error])]
    found = [f"metadata: there is no classifier {name!r}" for name in known.classifiers or [] if name not in classifiers]
    for what, value in {
        "a description (readme in pyproject.toml)": message_from_bytes(content).get_payload().strip(),
        "a summary": known.summary,
        "a license": known.license_expression,
        "keywords": known.keywords,
        "the address of the documentation": (known.project_urls or {}).get("Documentation"),
        "the address of the changelog": (known.project_urls or {}).get("Changelog"),
        "the address for issues": (known.project_urls or {}).get("Issues"),
    }.items():
        if not value:
            found.append(f"metadata: {what} is missing")
    return found
