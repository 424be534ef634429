"""What the paper says of its two runs, said of any two: the facts of `backend.comparison` in words."""
