"""Drills: what a server must withstand, done to it on purpose, and counted."""
