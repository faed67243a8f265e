"""Evaluation: indicators and what they show."""
