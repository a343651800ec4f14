"""Photo -> face crops: detect, choose the one that is meant, frame, align. Nothing here tells persons apart, or reads
files of photos.
"""
