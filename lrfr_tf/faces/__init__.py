"""Photo -> face crops: detect, choose the main one, frame, align. Nothing here tells persons apart, or reads
files of photos.
"""
