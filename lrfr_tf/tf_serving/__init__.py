"""Asking a TF-Serving server for what the exports compute, over REST or gRPC. The server has the networks; nothing is
loaded here but the face detector.
"""
