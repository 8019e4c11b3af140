"""Room 9, bots: bots that answer, their checkpoints and recipes (notebook 02 and on)."""
