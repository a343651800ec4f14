"""The only place that fetches, checks and loads foreign weights. What is done with a loaded network is elsewhere."""
