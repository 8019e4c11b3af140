"""The version of a release: pyproject.toml, the changelog, CITATION.cff and git's tags tell one story."""

import re
import subprocess
from datetime import date
from importlib import metadata
from pathlib import Path

import yaml
from packaging.version import InvalidVersion, Version

from tests.notebooks.books import tomllib

CHANGELOG, CITATION = Path(".github", "CHANGELOG.md"), Path("CITATION.cff")
ENTRY = re.compile(r"^## \[?(?P<version>[^\]\s]+)\]?(?: - (?P<date>\S+))?$", re.MULTILINE)
# What the format of citation files (1.2.0) wants; GitHub shows no "Cite this repository" without it.
WANTED = {"cff-version", "message", "title", "authors"}
ALLOWED = WANTED | {"abstract", "commit", "contact", "date-released", "doi", "identifiers", "keywords", "license",
                    "license-url", "preferred-citation", "references", "repository", "repository-artifact",
                    "repository-code", "type", "url", "version"}  # fmt: skip


def project(root: Path) -> dict:
    """Return the `[project]` table of a folder's pyproject.toml."""
    return tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def citation(root: Path) -> dict:
    """Return what CITATION.cff holds. Raises ValueError where it is no YAML, or no table."""
    try:
        found = yaml.safe_load((root / CITATION).read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(f"CITATION.cff cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise ValueError("CITATION.cff holds no table")
    return found


def entries(text: str) -> list[tuple[str, str | None]]:
    """Return (version, date) of each entry of a changelog, as they stand in it."""
    return [(found["version"], found["date"]) for found in ENTRY.finditer(text)]


def agree(root: Path) -> list[str]:
    """Say where the version, or its date, is not the same everywhere."""
    version, found = project(root)["version"], []
    try:
        if str(Version(version)) != version or Version(version).is_prerelease or Version(version).local:
            found.append(f"pyproject.toml: {version} is no version of a release; write it like 1.2.0")
    except InvalidVersion:
        found.append(f"pyproject.toml: {version!r} is no version; write it like 1.2.0")
    top, day = (entries((root / CHANGELOG).read_text(encoding="utf-8")) or [("nothing", None)])[0]
    if top != version:
        found.append(f"{CHANGELOG}: its top entry is {top}, pyproject.toml says {version}; head it ## [{version}] - YYYY-MM-DD")
    elif not _is_date(day):
        found.append(f"{CHANGELOG}: the entry {version} needs its date: ## [{version}] - YYYY-MM-DD")
    cited = citation(root)
    for table in (cited, cited.get("preferred-citation", {})):
        if str(table.get("version", version if table is not cited else None)) != version:
            found.append(f"{CITATION}: version is {table.get('version')}, pyproject.toml says {version}")
    if top == version and _is_date(day) and str(cited.get("date-released")) != day:
        found.append(f"{CITATION}: date-released is {cited.get('date-released')}, the changelog says {day}")
    return found


def _is_date(words: str | None) -> bool:
    try:
        return bool(date.fromisoformat(words or ""))
    except ValueError:
        return False


def changelog(root: Path) -> list[str]:
    """Say where the changelog is not in order: newest first, no version twice, something said of each."""
    text, found = (root / CHANGELOG).read_text(encoding="utf-8"), []
    known = entries(text)
    names = [name for name, _ in known]
    dates = [day or "" for _, day in known]
    if len(set(names)) != len(names):
        found.append(f"{CHANGELOG}: a version stands in it twice")
    if dates != sorted(dates, reverse=True):
        found.append(f"{CHANGELOG}: put the newest entry first")
    for name, body in zip(names, ENTRY.split(text)[3::3]):
        if not re.search(r"^- \S", body, re.MULTILINE):
            found.append(f"{CHANGELOG}: the entry {name} says nothing")
    return found


def cited(root: Path) -> list[str]:
    """Say where CITATION.cff breaks the rules of its format."""
    content = citation(root)
    found = [f"{CITATION}: {name} is missing" for name in sorted(WANTED - content.keys())]
    found += [f"{CITATION}: the format has no key {name!r}" for name in sorted(content.keys() - ALLOWED)]
    if content.get("cff-version") != "1.2.0":
        found.append(f"{CITATION}: write cff-version: 1.2.0")
    preferred = content.get("preferred-citation", {})
    found += [f"{CITATION}: preferred-citation needs {name}" for name in ("authors", "title", "type") if name not in preferred]
    for author in [*content.get("authors", []), *preferred.get("authors", [])]:
        if not {"name", "family-names"} & set(author):
            found.append(f"{CITATION}: an author has neither a name (of an entity) nor family-names: {author}")
    if content.get("license") != project(root)["license"]:
        found.append(f"{CITATION}: license is not {project(root)['license']}, as in pyproject.toml")
    return found


def installed(root: Path) -> list[str]:
    """Say whether another version than that of pyproject.toml is installed here, with which all else is checked."""
    name, version = project(root)["name"], project(root)["version"]
    here = metadata.version(name)
    return [] if here == version else [f"{name} {here} is installed, pyproject.toml says {version}: run make setup"]


def tag(root: Path) -> list[str]:
    """Say whether the tag of this version exists already, or cannot be looked for."""
    name = f"v{project(root)['version']}"
    done = subprocess.run(["git", "tag", "--list", name], cwd=root, capture_output=True, text=True)
    if done.returncode:
        return ["this folder is no clone: there is nothing to tag"]
    if done.stdout.strip():
        return [f"the tag {name} exists: write the next version into pyproject.toml, the changelog and CITATION.cff"]
    return []
