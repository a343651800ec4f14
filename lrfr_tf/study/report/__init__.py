"""The report around the table: one HTML page that opens offline, the same in Markdown, and text for a terminal. It
reads the result of the study and computes no figure of its own.
"""
