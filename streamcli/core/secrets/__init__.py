"""The parts of core/redact.py: what is secret, and where."""
