"""Markdown for a terminal, as it streams."""
