"""Room 2, models: from letter counts to a transformer, everything that predicts the next token (notebooks 02 to 09)."""
