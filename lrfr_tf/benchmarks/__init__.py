"""Ours on public benchmarks and on folders of people: their files, protocols, figures and published rows. Metrics that
any of them could use are in `evaluation`, and what the product needs is not here.
"""
