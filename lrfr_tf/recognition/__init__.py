"""The product: pixels -> faces -> embeddings -> identity."""
