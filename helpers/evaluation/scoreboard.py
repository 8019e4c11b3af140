"""The scoreboard: one row per bot, the same measurements for all. Read in every notebook, written by training commands."""

import csv
from typing import NamedTuple

from .. import data_path


class Entry(NamedTuple):
    """A bot the course builds: where, with the idea of which year."""

    name: str
    notebook: str
    year: int
    idea: str


# In the order of the notebooks. A bot that was not trained yet has an entry here and no row in the file.
ENTRIES = (
    Entry("n-gram", "02", 1948, "count what followed the last few letters"),
    Entry("rnn", "02", 2016, "a memory that is updated letter by letter"),
    Entry("seq2seq", "03", 2015, "read the context, then write the reply, with attention"),
    Entry("transformer", "04", 2017, "attention is all you need"),
    Entry("gpt", "06", 2018, "pretrain one decoder on all the text there is"),
    Entry("fine-tuned gpt", "07", 2019, "from text to talk: go on training on replies"),
    Entry("gan", "08", 2017, "learn from a judge that tells bots from people"),
    Entry("aligned gpt", "09", 2022, "learn from which of two replies people prefer"),
)

# Column -> what it measures. The file holds "bot" and these, nothing else.
COLUMNS = {
    "parameters": "numbers the model learned",
    "bytes": "size of the checkpoint on disk",
    "bits per byte": "surprise per UTF-8 byte of the test conversations; lower is better",
    "distinct-1": "share of different words in its replies",
    "distinct-2": "share of different word pairs in its replies",
    "entropy-4": "entropy of its four-word phrases, in nats",
    "self-bleu-4": "how much its replies resemble each other; lower is more varied",
    "reply length": "mean words per reply",
    "seconds per reply": "time to answer",
    "training seconds": "time to train",
    "device": "what it was trained on",
}


def read():
    """Return the scoreboard as a pandas DataFrame, a row per bot of the course, "not trained yet" where none exists.

    Raises ValueError when the file names an unknown bot or its columns are not ours: it was edited by hand.
    """
    import pandas

    with data_path("scoreboard.csv").open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = {row["bot"]: row for row in reader}
        if reader.fieldnames != ["bot", *COLUMNS]:
            raise ValueError(
                "data/scoreboard.csv has other columns than expected; write it again with `make checkpoints`"
            )
    unknown = set(rows) - {entry.name for entry in ENTRIES}
    if unknown:
        raise ValueError(f"data/scoreboard.csv has a row for the unknown bot {sorted(unknown)[0]!r}")
    table = []
    for entry in ENTRIES:
        row = rows.get(entry.name)
        figures = {
            name: row[name] if row else "" for name in ("bits per byte", "distinct-2", "seconds per reply")
        }
        status = "trained" if row else "not trained yet"
        place = {"bot": entry.name, "year": str(entry.year), "notebook": entry.notebook, "status": status}
        table.append({**place, "idea": entry.idea, **figures})
    return pandas.DataFrame(table).set_index("bot")
