"""From a database session and what is asked to a plotly figure: one function for each figure of runs."""
