"""Where pictures come from: a folder, a zip or a video -> pictures one after another. What is in them is not looked at,
and no layout of a data set is known.
"""
