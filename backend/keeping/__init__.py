"""Runs taken elsewhere and back, backups of a whole instance, and what may be deleted to make room."""
