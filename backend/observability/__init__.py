"""What an operator sees of the processes: log lines with their context, and numbers for Prometheus."""
