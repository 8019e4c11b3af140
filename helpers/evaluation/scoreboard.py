"""The scoreboard: one row per bot, the same measurements for all. Read in every notebook, written by training commands."""

import csv
import math
import os
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from helpers import data_path
from helpers.io import write_rows


class BotEntry(NamedTuple):
    """A bot the course builds: in which notebook, with the idea of which year."""

    name: str
    notebook: str
    year: int
    idea: str


# In the order of the notebooks. A bot that was not trained yet has an entry here and no row in the file.
BOTS = (
    BotEntry("n-gram", "02", 1948, "count what followed the last few letters"),
    BotEntry("rnn", "02", 2016, "a hidden state that is updated letter by letter"),
    BotEntry("seq2seq", "03", 2015, "read the context, then write the reply, with attention"),
    BotEntry("transformer", "04", 2017, "attention is all you need"),
    BotEntry("gpt", "06", 2018, "pretrain one decoder on all the text there is"),
    BotEntry("gpt-chat", "07", 2019, "from text to talk: go on training on replies"),
    BotEntry("gan", "08", 2017, "learn from a discriminator that tells bots from people"),
    BotEntry("dpo", "09", 2023, "learn from which of two replies a reward model prefers"),
    BotEntry("gpt-small", "12", 2015, "a small student learns a large teacher's probabilities"),
    BotEntry("gpt-int8", "12", 2022, "the same weights in 8 bits each"),
    BotEntry("gpt-int4", "12", 2022, "the same weights in 4 bits each"),
)

# Column -> what it measures. The file holds "bot" and these, nothing else.
COLUMNS = {
    "parameters": "numbers the model learned",
    "bytes": "size of the checkpoint on disk",
    "bits per byte": "surprisal per UTF-8 byte of the test conversations; lower is better",
    "distinct-1": "share of different words in its replies",
    "distinct-2": "share of different word pairs in its replies",
    "entropy-4": "entropy of its four-word phrases, in nats",
    "self-bleu-4": "how much its replies resemble each other; lower is more varied",
    "adversarial success": "share of replies, people's and its own, whose writer an evaluator gets wrong; 0.5 at best",
    "reply length": "mean words per reply",
    "seconds per reply": "time to answer",
    "training seconds": "time to train",
    "device": "what it was trained on",
}
DEFAULT_COLUMNS = ("bits per byte", "distinct-2", "seconds per reply")  # of these in every notebook
OPTIONAL = ("adversarial success",)  # empty until the bots are there that the evaluator reads with
WHOLE = ("parameters", "bytes")  # written as whole numbers; all others but the device with four significant digits


def read(columns=DEFAULT_COLUMNS):
    """Return the scoreboard as a pandas DataFrame, a row per bot of the course, "not trained yet" where none exists.

    ``columns`` are those of COLUMNS to be shown beside year, notebook, status and idea. Raises ValueError for an unknown
    one, and when the file names an unknown bot or its columns are not ours: it was edited by hand.
    """
    import pandas

    if unknown := [column for column in columns if column not in COLUMNS]:
        raise ValueError(f"the scoreboard has no column {unknown[0]!r}; it has: {', '.join(COLUMNS)}")
    rows = _rows(data_path("scoreboard.csv"))
    table = []
    for entry in BOTS:
        row = rows.get(entry.name)
        figures = {name: row[name] if row else "" for name in columns}
        status = "trained" if row else "not trained yet"
        about = {"bot": entry.name, "year": str(entry.year), "notebook": entry.notebook, "status": status}
        table.append({**about, "idea": entry.idea, **figures})
    return pandas.DataFrame(table).set_index("bot")


def with_row(board, bot: str, figures: dict, *, year="", notebook: str = "", idea: str = "trained in this session"):
    """Return ``board``, as ``read`` gives it, with a row more at its end: a bot of your own, for this session; no file changes.

    ``figures`` are some of COLUMNS, as ``helpers.bots.measure.measure`` returns them; those that ``board`` does not show are
    left out, those that are missing stay empty. A row of the same name that was added before is replaced. Raises ValueError
    for the name of one of the course's bots, an unknown column and a value that is no number.
    """
    if bot in {entry.name for entry in BOTS}:
        raise ValueError(
            f"{bot!r} is a bot of the course, with a row of its own: give yours another name, such as 'your GPT'"
        )
    if unknown := [column for column in figures if column not in COLUMNS]:
        raise ValueError(f"the scoreboard has no column {unknown[0]!r}; it has: {', '.join(COLUMNS)}")
    row = {"year": str(year), "notebook": notebook, "status": "this session", "idea": idea}
    row |= {column: _cell(column, figures[column]) for column in figures}
    board = board.copy()
    board.loc[bot] = [row.get(column, "") for column in board.columns]
    return board


def write(bot: str, figures: dict, path: str | os.PathLike | None = None) -> None:
    """Add the row of ``bot``, or replace the one it has. The other rows stay as they are, all in the order of BOTS.

    ``figures`` holds a value for every one of COLUMNS: the device in words, for the others numbers that are 0 or more,
    for those of OPTIONAL perhaps None. Without ``path`` the course's own file is written, data/scoreboard.csv. Raises
    ValueError for an unknown bot, for columns that are missing or unknown, for a value that is no such number, and when
    the file was edited by hand.
    """
    names = [entry.name for entry in BOTS]
    if bot not in names:
        raise ValueError(f"the course has no bot {bot!r}; it has: {', '.join(names)}")
    missing = [column for column in COLUMNS if column not in figures]
    unknown = [column for column in figures if column not in COLUMNS]
    if missing or unknown:
        fault = f"misses {missing[0]!r}" if missing else f"has the unknown column {unknown[0]!r}"
        raise ValueError(f"the row of {bot!r} {fault}; the columns are: {', '.join(COLUMNS)}")
    row = {"bot": bot} | {column: _cell(column, figures[column]) for column in COLUMNS}
    path = data_path() / "scoreboard.csv" if path is None else Path(path)  # the file may be missing, the folder not
    rows = _rows(path) if path.exists() else {}
    rows[bot] = row
    write_rows(path, ["bot", *COLUMNS], [rows[name] for name in names if name in rows])


def _rows(path: Path) -> dict[str, dict[str, str]]:
    """Return the file's rows by bot, and refuse a file that :func:`write` did not write."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = {row["bot"]: row for row in reader} if reader.fieldnames == ["bot", *COLUMNS] else None
    # The reader files surplus cells under None, and fills missing ones with it.
    if rows is None or any(None in row or None in row.values() for row in rows.values()):
        raise ValueError(
            "data/scoreboard.csv has other columns than expected; delete it, and `make checkpoints` writes it again"
        )
    unknown = set(rows) - {entry.name for entry in BOTS}
    if unknown:
        raise ValueError(f"data/scoreboard.csv has a row for the unknown bot {sorted(unknown)[0]!r}")
    return rows


def _cell(column: str, value) -> str:
    """Return a figure as the file shows it: 4 significant digits and never an exponent, counts whole, a device as is."""
    if column == "device":
        return str(value)
    if column in OPTIONAL and value is None:
        return ""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < math.inf:
        raise ValueError(f"{column!r} must be a number, 0 or more, not {value!r}")
    return str(round(number)) if column in WHOLE else format(Decimal(f"{number:.4g}"), "f")
