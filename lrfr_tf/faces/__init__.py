"""Photo -> face crops: detect, frame, align."""
