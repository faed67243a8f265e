"""Redress: complaints, the levels they climb, and the remedies that end them."""
