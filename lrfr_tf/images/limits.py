"""What the graph of an export takes of images before it decodes or resizes them; clients hold files against it, too."""

# A tenth of the budget of `decode`: the exact resize works in float64 and needs some hundred bytes a pixel.
PIXEL_BUDGET_IN_GRAPH = 4_000_000
# JPEG's own limit. An image of 4,000,000 x 1 pixels would be within the budget and need gigabytes of resizing weights.
LONGEST_SIDE = 65_535
# In one call: 10,000 images of one pixel each would need gigabytes once they are resized to what a network takes.
MOST_IMAGES = 1024
# Of all faces of a call together, which are resized in float64: 1.5 GB.
PIXELS_OF_ALL = 16 * PIXEL_BUDGET_IN_GRAPH
