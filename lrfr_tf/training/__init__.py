"""The engine of all trainings: devices, precision, checkpoints, the loop, TensorBoard, one step of each kind, and heads
that are fitted. It knows neither the product nor the benchmarks; those of a network in training come in as a function.
"""
