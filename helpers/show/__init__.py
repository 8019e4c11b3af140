"""Pictures and controls, each with its twin in words. Built for notebooks 00 and 01, used by all.

>>> from helpers.show import plots, Tokens, Explore, quiz, ChatBox, Timeline

Every object here shows itself when it is the last line of a cell (or through ``.show()``); its ``repr`` is the finding in
words. Nothing is loaded before it is used: matplotlib and ipywidgets cost a second that not every notebook needs.
"""

from importlib import import_module

_WHERE = {
    "plots": None,
    "drawings": None,
    "Drawing": "svg",
    "Bars": "tokens_and_bars",
    "Tokens": "tokens_and_bars",
    "Changes": "text_diff",
    "Table": "tables",
    "Explore": "explore",
    "quiz": "quizzes",
    "ChatBox": "chatbox",
    "Timeline": "timelines",
    "timeline": "timelines",
    "explore_timeline": "timelines",
    "surprisal_tokens": "surprisal_and_sampling",
    "explore_surprisal": "surprisal_and_sampling",
    "sampling_parameters": "surprisal_and_sampling",
    "explore_sampling": "surprisal_and_sampling",
    "LiveCurve": "learning_curve",
    "input_gradient_map": "activations",
    "explore_input_gradients": "activations",
    "unit_activations": "activations",
    "explore_units": "activations",
    "merge_by_merge": "tokenization",
    "explore_merges": "tokenization",
    "attention_of": "attention_explorer",
    "attention_map": "attention",
    "explore_attention": "attention_explorer",
    "forward_pass": "forward_passes",
    "forward_pass_steps": "forward_passes",
    "explore_forward_pass": "forward_passes",
    "attacked_message": "attack",
    "explore_attack": "attack",
    "few_bits": "how_few_bits",
    "explore_few_bits": "how_few_bits",
    "how_many_gpus": "gpus_and_days",
    "explore_how_many_gpus": "gpus_and_days",
    "queue": "queues",
    "explore_queue": "queues",
    "ratings": "rating_lists",
    "Arena": "arena",
    "arena_ratings": "rated_votes",
    "explore_arena": "rated_votes",
    "caption_pictures": "write_a_caption",
    "explore_captions": "write_a_caption",
    "Replay": "replay",
    "replay_points": "replay",
    "replay_replies": "replay",
    "pictures": "image_grid",
    "heat_map": "heat_maps",
    "HeadRemoval": "head_removal",
    "pull_it_out": "head_removal",
    "explore_pull_it_out": "head_removal",
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
