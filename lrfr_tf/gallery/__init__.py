"""People kept on disk: enrolled, corrected, forgotten; and who of them a face is. SQLite is the truth, an exact matrix
in memory the index. Nothing here is trained or measured on data sets, and what needs no face loads no TensorFlow.
"""
