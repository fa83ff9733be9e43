"""The parts of core/report.py."""
