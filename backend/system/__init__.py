"""Workers, queue, health and the stream of changes."""
