"""Room 2, models: from counted letters to a transformer, everything that predicts the next token (notebooks 02 to 09)."""
