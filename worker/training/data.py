"""Images with boxes from a COCO file, or crops of its boxes with a class: what a model trains on and is judged by."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor
from torch.nn import functional

from backend.datasets.annotations import Annotation
from backend.datasets.coco import CocoFile
from backend.errors import InvalidInput
