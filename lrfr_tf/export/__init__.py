"""Network -> SavedModel, ONNX or TFLite, each with its check, its warm-up requests and its model card. What uses an
export is in `networks`, and asks for nothing from here.
"""
