"""The stored reward models, and preference pairs labeled by one (used in notebook 09)."""

from collections.abc import Sequence

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.implicit_feedback import Preference

BASE = "gpt"  # the bot whose copy is the reward model: not the policy's own


def reward_model(name: str = "proxy", device="cpu"):
    """Return a stored reward model: "proxy", to be trained against, or "gold", trained on the other half of the preferences.

    Raises FileNotFoundError when it is not there, ValueError when the file is damaged.
    """
    from helpers.corpus.tokenizers.base import special_token_ids
    from helpers.models.reward_model import RewardModel

    bot = checkpoints.load(BASE, device)
    return RewardModel.load(data_path("preferences", f"{name}.safetensors"), bot.model, **special_token_ids(bot.tokenizer))


def best_and_worst(replies: Sequence[Sequence], reward) -> list[Preference]:
    """Return, of the replies to each context, the one that ``reward`` scores highest against the one it scores lowest.

    A context whose best and worst reply are the same text, or have the same score, teaches nothing and is left out.
    """
    scores = iter(reward.score([pair for group in replies for pair in group]).tolist())
    preferences = []
    for group in replies:
        ordered = sorted(zip(group, scores), key=lambda item: item[1])  # zip takes the group's scores, no more
        (worst, low), (best, high) = ordered[0], ordered[-1]
        if high > low and _text(best, reward) != _text(worst, reward):
            preferences.append(Preference(best, worst))
    return preferences


def _text(pair, reward) -> list[int]:
    return [token for token in pair.reply if token not in (*reward.speakers, reward.end)]
