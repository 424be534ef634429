"""One file per figure: numbers in, a plotly Figure out."""
