"""Comments out of dumps of every era, and conversations cut out of their threads (built in notebook 01)."""
