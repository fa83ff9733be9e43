"""The sans-IO middle: chunks and a clock go in, lists come out. Nothing here opens, reads, waits or prints."""
