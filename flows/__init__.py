"""Prefect flows: they decide when and how often; the lifecycle package decides whether and what."""
