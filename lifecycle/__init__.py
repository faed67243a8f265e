"""The partnership lifecycle engine: partnerships from the definition of their need to their evaluation."""

__version__ = "0.1.0"
