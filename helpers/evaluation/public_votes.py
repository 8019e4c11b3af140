"""Public votes between language models, from a CSV file that you downloaded yourself (used in notebook 15).

Two layouts are known: that of LLMFAO (Ustalov 2023, CC BY 4.0, https://github.com/dustalov/llmfao), with the columns prompt,
left, right, winner and, for people, worker; and that of the Chatbot Arena (LMSYS 2023), with question_id, model_a, model_b,
winner and judge. The course holds no such file; what it says about LLMFAO was measured on its ``crowd-comparisons.csv``.
"""

import csv
import os
from pathlib import Path

from helpers.evaluation.comparisons import Vote, check_votes

COLUMNS = {  # what a vote needs, and how the files call it
    "prompt": ("prompt", "question_id"),
    "left": ("left", "model_a"),
    "right": ("right", "model_b"),
    "winner": ("winner",),
}
VOTER = ("worker", "judge", "judge_hash")  # may be missing, as in a file of one judge
WINNERS = {
    "left": "left",
    "model_a": "left",
    "right": "right",
    "model_b": "right",
    "tie": "tie",
    "tie (bothbad)": "both bad",
    "both bad": "both bad",
}


def read_public_votes(path: str | os.PathLike) -> list[Vote]:
    """Return the votes of a CSV file, in the order they stand in; "tie (bothbad)" becomes "both bad".

    Raises FileNotFoundError, saying what the file should be, and ValueError for a column that is missing, a winner that is not
    known or a contestant without a name (each with its line), text that is not UTF-8, and a file without a vote.
    """
    path = Path(os.path.expanduser(path))
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path}: give the path of a CSV file of votes that you downloaded")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            columns = _columns(reader.fieldnames or (), path.name)
            votes = [_vote(row, columns, f"line {reader.line_num} of {path.name}") for row in reader]
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path.name} is no CSV file in UTF-8 ({error}): download it again") from error
    if not votes:
        raise ValueError(f"{path.name} has columns, but no vote below them: download it again")
    return check_votes(votes)


def _columns(known, file: str) -> dict[str, str]:
    """Return {what a vote needs: the file's name for it}."""
    found = {}
    for part, names in {**COLUMNS, "voter": VOTER}.items():
        here = [name for name in names if name in known]
        if here:
            found[part] = here[0]
        elif part != "voter":
            raise ValueError(
                f"{file} has no column {' or '.join(names)}: its columns are {', '.join(known) or 'none'}. "
                "Needed are prompt, left, right and winner (or question_id, model_a, model_b and winner)"
            )
    return found


def _vote(row: dict, columns: dict[str, str], where: str) -> Vote:
    values = {part: (row[column] or "").strip() for part, column in columns.items()}
    empty = [columns[part] for part in COLUMNS if not values[part]]
    if empty:
        raise ValueError(f"{where} has no {' and no '.join(empty)}: the file is damaged, download it again")
    winner = values["winner"].lower()
    if winner not in WINNERS:
        raise ValueError(f"{where} has the winner {winner!r}: known are {', '.join(WINNERS)}")
    return Vote(**{**values, "winner": WINNERS[winner]})
