"""Tables only."""

from backend.models.base import Base
from backend.models.dataset import Dataset, DatasetImage
from backend.models.measurement import Layer, Metric, MetricSummary, Spectrum, SpectrumSummary
from backend.models.run import Checkpoint, LogLine, Prediction, Run
from backend.models.token import BrowserSession, Token
from backend.models.width_plan import WidthPlan, WidthPlanRun
from backend.models.worker import Worker

__all__ = [
    "Base",
    "BrowserSession",
    "Checkpoint",
    "Dataset",
    "DatasetImage",
    "Layer",
    "LogLine",
    "Metric",
    "MetricSummary",
    "Prediction",
    "Run",
    "Spectrum",
    "SpectrumSummary",
    "Token",
    "WidthPlan",
    "WidthPlanRun",
    "Worker",
]
