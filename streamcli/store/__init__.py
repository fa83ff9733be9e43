"""What stays on disk after a run. Empty until answers are journalled."""
