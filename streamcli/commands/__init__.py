"""One file a verb; they join the rooms below."""
