"""A server asked from Python: runs, spectra as numpy arrays, figures as plotly's; no torch."""

from eigenscope.client.client import Client as Client
from eigenscope.client.measurements import Dimensions as Dimensions
from eigenscope.client.measurements import Layer as Layer
from eigenscope.client.measurements import Layers as Layers
from eigenscope.client.measurements import Metrics as Metrics
from eigenscope.client.measurements import Series as Series
from eigenscope.client.measurements import Spectra as Spectra
from eigenscope.client.runs import Run as Run
from eigenscope.client.runs import Runs as Runs
