"""What lies in the repository: nothing uncommitted, nothing of one person's computer, nothing too large, no dead link."""

import re
import subprocess
from pathlib import Path

from tests.release.versions import project

LARGEST, ALL = 20, 150  # megabytes: of one file, and of everything
PLACEHOLDER = "YOUR_ACCOUNT"
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(<?([^)\s>]+)>?[^)]*\)|(?:src|href)=\"([^\"]+)\"")
FENCE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
# Tokens of GitHub, Hugging Face, OpenAI, PyPI, AWS, and private keys, by how they begin.
SECRET = re.compile(
    r"\b(?:gh[oprsu]_[A-Za-z0-9]{36}|github_pat_\w{22,}|hf_[A-Za-z0-9]{34}|sk-[A-Za-z0-9_-]{40,}|pypi-[\w-]{60,}"
    r"|AKIA[0-9A-Z]{16})\b|-----BEGIN [A-Z ]*PRIVATE KEY-----"
)
HEADING = re.compile(r"^#+ (.+?)#*$", re.MULTILINE)


def tracked(root: Path) -> list[str]:
    """Return the paths that git keeps, as far as they exist. Raises ValueError in a folder that is no clone."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise ValueError("this folder is no clone: git cannot say what belongs to it")
    return [name for name in done.stdout.split("\0") if name and (root / name).is_file()]


def clean(root: Path) -> list[str]:
    """Say which files are not committed."""
    done = subprocess.run(["git", "status", "--porcelain"], cwd=root, capture_output=True, text=True)
    if done.returncode:
        return ["this folder is no clone"]
    names = [line[3:] for line in done.stdout.splitlines()]
    more = f" and {len(names) - 5} more" if len(names) > 5 else ""
    return [f"commit first, or put away: {', '.join(names[:5])}{more}"] if names else []


def address(root: Path) -> list[str]:
    """Say whether the repository has no address of its own yet, and which lines name another one."""
    urls = project(root)["urls"]
    own = urls["Repository"].removeprefix("https://github.com/").rstrip("/")
    account, _, name = own.partition("/")
    found = []
    if account == PLACEHOLDER:
        found.append(f"{PLACEHOLDER} stands in pyproject.toml: put your account into Repository, then run make badges")
    pages = f"https://{account}.github.io/{name}".lower()
    for what, url in urls.items():
        if own not in url and not url.lower().startswith(pages):
            found.append(f"pyproject.toml: {what} leads elsewhere than Repository: {url}; run make badges")
    return found


def sizes(root: Path) -> list[str]:
    """Say which files are too large, and whether all are together."""
    bytes_of = {name: (root / name).stat().st_size for name in tracked(root)}
    found = [
        f"{name} has {size / 1e6:.0f} MB, {LARGEST} are allowed: leave it out, or make it smaller"
        for name, size in bytes_of.items()
        if size > LARGEST * 1e6
    ]
    total = sum(bytes_of.values()) / 1e6
    return found + ([f"all files together have {total:.0f} MB, {ALL} are allowed"] if total > ALL else [])


def paths(root: Path, home: Path | None = None) -> list[str]:
    """Say which texts name a folder of this computer: that of the clone, or this person's own (``home``)."""
    homes = [str(home or Path.home())]
    private = [f"{root.resolve()}/", *(f"{name}/" for name in homes if len(name) > 1)]
    found = []
    for name in tracked(root):
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # numbers and pictures
        found += [f"{name} names {place}, a folder of this computer" for place in private if place in text]
    return found


def secrets(root: Path) -> list[str]:
    """Say which texts hold what looks like a key or a token, and which files are made to hold them."""
    found = []
    for name in tracked(root):
        if Path(name).name == ".env":
            found.append(f"{name} is a file for keys: take it out of git")
        try:
            text = (root / name).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if SECRET.search(text):
            found.append(f"{name} holds what looks like a key: revoke it first, then take it out of git and of its history")
    return found


def pages(root: Path) -> list[str]:
    """Return the pages that are read on GitHub: all Markdown outside of tests."""
    return [name for name in tracked(root) if name.endswith(".md") and not name.startswith("tests/")]


def anchors(text: str) -> set[str]:
    """Return the anchors of a page, as GitHub makes them of its headings, and those it names itself."""
    made, seen = set(re.findall(r"(?:id|name)=\"([^\"]+)\"", text)), {}
    for heading in HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)|[*`]", r"\1", heading).strip().lower()
        slug = re.sub(r"[^\w\- ]", "", words).replace(" ", "-")
        made.add(f"{slug}-{seen[slug]}" if slug in seen else slug)
        seen[slug] = seen.get(slug, 0) + 1
    return made


def links(root: Path) -> list[str]:
    """Say which links of the pages lead to a file or a heading that is not there. Addresses elsewhere are not followed."""
    found = []
    for name in pages(root):
        text = (root / name).read_text(encoding="utf-8")
        for groups in LINK.findall(FENCE.sub("", text)):
            target = groups[0] or groups[1]
            if re.match(r"[a-z]+:", target):
                continue
            file, _, anchor = target.partition("#")
            path = (root / name).parent / file if file else root / name
            if not path.exists():
                found.append(f"{name}: there is no {target}")
            elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
                found.append(f"{name}: {file or 'it'} has no heading #{anchor}")
    return found
