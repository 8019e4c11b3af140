"""Text as numbers: characters, and byte-pair encoding (built in notebooks 02 and 05)."""
