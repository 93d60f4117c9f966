"""Footfall counts what people see, click and buy: exactly, explainably, reproducibly."""
