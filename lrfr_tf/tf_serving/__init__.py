"""Asking a TF-Serving server for what the exports compute, over REST or gRPC. No network is loaded here; the server has
them.
"""
