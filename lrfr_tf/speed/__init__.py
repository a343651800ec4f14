"""How fast, against whom: each peer in a process of its own, on the same arrays, taking turns. Nothing else needs it,
and nothing is judged here but time and memory.
"""
