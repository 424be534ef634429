"""Tables only."""

from backend.models.base import Base
from backend.models.dataset import Dataset, DatasetImage
from backend.models.ingest import Ingest
from backend.models.measurement import Layer, Metric, MetricSummary, Spectrum, SpectrumSummary
from backend.models.run import Checkpoint, LogLine, Prediction, Run
from backend.models.token import BrowserSession, Token
from backend.models.webhook import RunWatch, WebhookDelivery, WebhookEvent
from backend.models.width_plan import WidthPlan, WidthPlanRun
from backend.models.worker import Worker

__all__ = [
    "Base",
    "BrowserSession",
    "Checkpoint",
    "Dataset",
    "DatasetImage",
    "Ingest",
    "Layer",
    "LogLine",
    "Metric",
    "MetricSummary",
    "Prediction",
    "Run",
    "RunWatch",
    "Spectrum",
    "SpectrumSummary",
    "Token",
    "WebhookDelivery",
    "WebhookEvent",
    "WidthPlan",
    "WidthPlanRun",
    "Worker",
]
