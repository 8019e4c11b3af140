"""Room 10, experiments: the long runs behind the tables in data/."""
