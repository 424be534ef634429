"""What is stored and how it is asked for; importable without torch."""
