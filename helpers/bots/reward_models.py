"""The stored reward models, and preference pairs labeled by one (used in notebook 09)."""

from collections.abc import Sequence

from helpers import data_path
from helpers.bots import checkpoints
from helpers.corpus.implicit_feedback import Preference

JUDGED = "gpt"  # the bot whose copy is the judge: not the player's own


def reward_model(name: str = "proxy", device="cpu"):
    """Return a stored reward model: "proxy", to be trained against, or "gold", which read the other half of the votes.

    Raises FileNotFoundError when it is not there, ValueError when the file is damaged.
    """
    from helpers.models.encoder_decoder import marks
    from helpers.models.reward_model import RewardModel

    bot = checkpoints.load(JUDGED, device)
    return RewardModel.load(data_path("preferences", f"{name}.safetensors"), bot.model, **marks(bot.tokenizer))


def compared(replies: Sequence[Sequence], reward) -> list[Preference]:
    """Return, of the replies to each context, the one that ``reward`` likes best against the one it likes least.

    A context whose best and worst reply are the same text, or have the same score, teaches nothing and is left out.
    """
    scores = iter(reward.score([pair for group in replies for pair in group]).tolist())
    made = []
    for group in replies:
        known = sorted(zip(group, scores), key=lambda item: item[1])  # zip takes the group's scores, no more
        (worst, low), (best, high) = known[0], known[-1]
        if high > low and _text(best, reward) != _text(worst, reward):
            made.append(Preference(best, worst))
    return made


def _text(pair, reward) -> list[int]:
    return [token for token in pair.reply if token not in (*reward.speakers, reward.end)]
