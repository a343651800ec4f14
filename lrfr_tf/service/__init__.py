"""The service: names over HTTP for other programs, decided by a gallery. What a request holds is decoded, batched and
answered here; what a face is, and whose, the rooms above decide. Nothing here is trained or measured.
"""
