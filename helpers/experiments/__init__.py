"""Room 8, experiments: the long runs behind the tables in data/."""
