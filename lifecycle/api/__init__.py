"""The HTTP API under `/v1`: parse, call one service function, present. Not one rule of its own."""
