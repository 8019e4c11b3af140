"""Pictures and controls, each with its twin in words. Built for notebooks 00 and 01, used by all.

>>> from helpers.show import plots, Tokens, Explore, quiz, ChatBox, Timeline

Every object here shows itself when it is the last line of a cell (or through ``.show()``); its ``repr`` is
the finding in words. Nothing is loaded before it is used: matplotlib and ipywidgets cost a second that not
every notebook needs.
"""

from importlib import import_module

_WHERE = {
    "plots": None,
    "Drawing": "svg",
    "Bars": "svg",
    "Tokens": "svg",
    "Changes": "text_diff",
    "Table": "tables",
    "Explore": "explore",
    "quiz": "quizzes",
    "ChatBox": "chatbox",
    "Timeline": "timelines",
    "timeline": "timelines",
    "explore_timeline": "timelines",
    "surprise_tokens": "surprisal_and_sampling",
    "explore_surprise": "surprisal_and_sampling",
    "dial": "surprisal_and_sampling",
    "explore_dial": "surprisal_and_sampling",
    "LiveCurve": "learning_curve",
    "how_far_back": "activations",
    "explore_how_far_back": "activations",
    "cell": "activations",
    "explore_cell": "activations",
    "merge_by_merge": "tokenization",
    "explore_merges": "tokenization",
    "looking": "attention_explorer",
    "where_it_looks": "attention",
    "explore_where_it_looks": "attention_explorer",
    "Replay": "replay",
    "replay_points": "replay",
    "replay_replies": "replay",
    "pictures": "image_grid",
}
__all__ = list(_WHERE)


def __getattr__(name):
    if name not in _WHERE:
        raise AttributeError(f"helpers.show has no {name!r}; it has {', '.join(__all__)}")
    module = import_module(f"{__name__}.{_WHERE[name] or name}")
    value = module if _WHERE[name] is None else getattr(module, name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(set(globals()) | set(__all__))
