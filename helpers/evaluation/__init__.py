"""Room 4, evaluation: the numbers every bot is measured by, and the scoreboard they stand on."""
