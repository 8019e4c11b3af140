"""Room 4, training: one loop for every model of the course (built in notebook 02, used from there on)."""

from helpers.training.history import History
from helpers.training.loop import fit
from helpers.training.losses import CarriedState, mean_loss, next_token_loss, reply_loss
from helpers.training.optimizers import make_optimizer

__all__ = ["CarriedState", "History", "fit", "make_optimizer", "mean_loss", "next_token_loss", "reply_loss"]
