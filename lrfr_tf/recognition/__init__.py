"""The product: photo -> faces with embeddings -> decisions. It imports nothing that trains, exports, measures or
serves.
"""
