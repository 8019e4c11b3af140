"""Room 5, chat: bots that answer, the zoo of trained checkpoints, and a chat in the terminal (notebook 02 and on)."""
