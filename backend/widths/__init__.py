"""Width selection: from a spectrum to the widths of a smaller detector."""
