"""Two runs compared in numbers: what the paper says of its runs, computed for any."""
