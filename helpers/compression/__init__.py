"""Room 8, compression: the same model in fewer bytes, or in less time."""
