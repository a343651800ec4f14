"""Scripts that only this repository needs: its environments, its demo, its benchmarks, what writes its documents."""
