"""Room 1, corpus: from raw comment dumps and chat logs to clean conversations and their tokens (notebooks 01 and 05)."""
