"""People kept on disk: what is taken in, how it is stored, whether it works, and how it is forgotten. Neither trains,
measures nor serves.
"""
