"""The experiment of the first system: super-resolve a tree, embed it, make the table, compare boxes, and the report.
Nothing else needs it; what another room could use lies in a lower one.
"""
