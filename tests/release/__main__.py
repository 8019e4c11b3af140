"""What a maintainer looks at before a release, line by line: ✔ in order, ✘ with what to do, ⚠ what may wait.

python -m tests.release        or make release-check; ends with status 1 where a line has a ✘ (about two minutes)
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from helpers.io import lenient_streams
from tests.notebooks import books
from tests.release import elsewhere, fresh, packages, repository, versions

MOST = 8  # problems of one line that are printed


@dataclass
class Line:
    """One line of the check: what is in order if ``look`` returns nothing; ``warns``: what it returns may wait."""

    says: str
    look: Callable[[Path], list[str]]
    warns: bool = False


LINES = [
    Line("version and date agree: pyproject.toml, changelog, CITATION.cff", versions.agree),
    Line("the changelog is in order", versions.changelog),
    Line("CITATION.cff is valid", versions.cited),
    Line("this version is the installed one", versions.installed),
    Line("its tag does not exist yet", versions.tag),
    Line("everything is committed", repository.clean),
    Line("the repository has an address of its own", repository.address, warns=True),
    Line("no file is too large", repository.sizes),
    Line("no text names a folder of this computer", repository.paths),
    Line("no text holds a key or a token", repository.secrets),
    Line("links between the pages lead somewhere", repository.links),
    *(Line(says, fresh.command(module, cure)) for says, module, cure in fresh.COMMANDS),
    *(Line(says, fresh.compared(path, text, cure)) for says, path, text, cure in fresh.FILES),
    Line("the list of mistakes knows every task", fresh.mistakes),
]


def package_lines(folder: Path) -> list[Line]:
    """Return the lines about the packages, which are built in ``folder`` when the first of them is looked at."""
    made: list[packages.Built] = []

    def built(root: Path) -> packages.Built:
        if not made:
            made.append(packages.build(root, folder))
        return made[0]

    def installs(root: Path) -> list[str]:
        python = elsewhere.install(built(root).wheel, folder / "fresh")
        return elsewhere.try_out(python, folder / "another folder", versions.project(root)["version"])

    return [
        Line("the wheel holds the package, its data, its license, and nothing else",
             lambda root: packages.wheel(built(root), root)),
        Line("the sdist holds all that git keeps", lambda root: packages.sdist(built(root), root)),
        Line("both are small enough", lambda root: packages.sizes(built(root))),
        Line("their metadata is valid", lambda root: packages.metadata(built(root), root)),
        Line("the wheel installs elsewhere, and its bots talk there", installs),
    ]  # fmt: skip


def report(lines: list[Line], root: Path) -> int:
    """Print a line for each of ``lines`` and what to do; return the number of those with a ✘."""
    wrong = 0
    for line in lines:
        try:
            problems = line.look(root)
        except (OSError, ValueError) as error:
            problems = [str(error)]
        wrong += bool(problems) and not line.warns
        print(f"{'⚠' if line.warns and problems else '✘' if problems else '✔'} {line.says}", flush=True)
        for problem in problems[:MOST]:
            print(f"    {problem}", flush=True)
        if len(problems) > MOST:
            print(f"    and {len(problems) - MOST} more")
    return wrong


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.release", description="What to look at before a release.")
    parser.add_argument("--quick", action="store_true", help="without building and installing the packages")
    options = parser.parse_args(arguments)
    lenient_streams()
    with tempfile.TemporaryDirectory() as folder:
        wrong = report([*LINES, *([] if options.quick else package_lines(Path(folder)))], books.ROOT)
    if wrong:
        print(f"\nNot yet: {wrong} {'line has' if wrong == 1 else 'lines have'} a ✘.")
    else:
        tag = f"v{versions.project(books.ROOT)['version']}"
        print(f"\nReady, if bash .ci/run is green: git tag -a {tag} -m {tag} && git push origin {tag}")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
