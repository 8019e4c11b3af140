"""Room 5, evaluation: the numbers every bot is measured by, and the scoreboard they stand on."""
