"""From raw comment bodies to text that may be learned from: clean, redact, filter.

Three steps, three files. `clean` takes the mark-up off by the `RULES`, in order (rules.py, and markup.py for what each
does); `redact` puts placeholders where personal data stood (redaction.py); `Filter` says which comments a conversation
can do without, and counts its reasons (filters.py). Typical use:

    kept = Filter(max_words=30)
    for comment in read_comments(path):
        text = redact(clean(comment.body))
        if kept.keep(comment, text):
            ...
    print(kept.table())
"""

from helpers.corpus.cleaning.filters import REASONS, Filter
from helpers.corpus.cleaning.redaction import redact
from helpers.corpus.cleaning.rules import RULES, Rule, clean

__all__ = ["REASONS", "RULES", "Filter", "Rule", "clean", "redact"]
