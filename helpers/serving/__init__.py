"""Room 11, serving: bots as a service, its engine, its doors and what is watched (notebook 14)."""
