"""Pictures and controls, each with its twin in words. Built for notebooks 00 and 01, used by all.

>>> from helpers.show import plots, Tokens, Explore, quiz, ChatBox, Timeline

Every object here shows itself when it is the last line of a cell (or through ``.show()``); its ``repr`` is
the finding in words. Nothing is loaded before it is used: matplotlib and ipywidgets cost a second that not
every notebook needs.
"""

from importlib import import_module

_WHERE = {
    "plots": None,
    "Drawing": "drawing",
    "Bars": "drawing",
    "Tokens": "drawing",
    "Changes": "changes",
    "Table": "tables",
    "Explore": "explore",
    "quiz": "quizzes",
    "ChatBox": "chatbox",
    "Timeline": "history",
    "timeline": "history",
    "explore_timeline": "history",
    "surprise_tokens": "asking",
    "explore_surprise": "asking",
    "dial": "asking",
    "explore_dial": "asking",
    "LiveCurve": "training",
    "how_far_back": "inside",
    "explore_how_far_back": "inside",
    "cell": "inside",
    "explore_cell": "inside",
    "merge_by_merge": "merges",
    "explore_merges": "merges",
    "looking": "looks",
    "where_it_looks": "attention",
    "explore_where_it_looks": "looks",
    "Replay": "replay",
    "replay_points": "replay",
    "replay_replies": "replay",
    "pictures": "pictures",
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
