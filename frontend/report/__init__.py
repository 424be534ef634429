"""Reports: one HTML file with figures, tables and settings that needs neither server nor network."""
