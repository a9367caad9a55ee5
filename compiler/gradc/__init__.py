"""gradc: a compiler from specifications of functions to their gradients."""

__version__ = "0.1.0"
