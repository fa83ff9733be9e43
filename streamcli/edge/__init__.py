"""The process's ends: standard input, output and error, and signals."""
