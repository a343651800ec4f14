"""Arrays in, numbers out: identification, image quality, boxes, significance; and the report."""
