"""Room 7, robustness: what breaks a model, and what protects it."""
