"""The parts of core/condense.py."""
