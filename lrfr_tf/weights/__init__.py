"""The only place that fetches, checks and loads foreign weights."""
