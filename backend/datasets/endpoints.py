"""REST endpoints of datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from fastapi import APIRouter
from fastapi import Path as PathParameter

from backend.database import Database
from backend.datasets import registration, service
from backend.datasets.paths import inside
from backend.datasets.schemas import (
    CocoRegistration,
    DatasetDetail,
    DatasetItem,
    FoldersRegistration,
    Registration,
    ShapesRegistration,
    VocRegistration,
)
from backend.datasets.shapes import ShapesParameters
from backend.errors import InvalidInput
from backend.http.dependencies import DatabaseDep, ReadSession, SettingsDep, WriteSession
from backend.http.pagination import Cursor, Limit, Page, cursor_after, offset_of
from backend.models import Dataset
from backend.settings import Settings

router = APIRouter(prefix="/datasets", tags=["datasets"])
MOST_PIXELS = 2**28
"""Drawn for one request: some minutes' worth."""
DatasetId = Annotated[int, PathParameter(ge=1, lt=2**31)]


@router.get("")
def list_datasets(session: ReadSession, limit: Limit = 100, cursor: Cursor = "") -> Page[DatasetItem]:
    """List the datasets, oldest first."""
    offset = offset_of(cursor)
    items = [DatasetItem.model_validate(dataset) for dataset in service.listing(session, offset, limit)]
    total = service.count(session)
    return Page(items=items, total=total, next_cursor=cursor_after(offset, len(items), total))


@router.post("", status_code=201)
def register_dataset(body: Registration, database: DatabaseDep, settings: SettingsDep) -> DatasetItem:
    """Check and store a dataset under the data root, or generate shapes; all or nothing."""
    return DatasetItem.model_validate(_register(body, database, settings))


@router.get("/{dataset_id}")
def get_dataset(dataset_id: DatasetId, session: ReadSession) -> DatasetDetail:
    """Return one dataset with its statistics."""
    return DatasetDetail.model_validate(service.get(session, dataset_id))


@router.delete("/{dataset_id}", status_code=204)
def delete_dataset(dataset_id: DatasetId, session: WriteSession, settings: SettingsDep) -> None:
    """Remove a dataset that no run uses; generated and converted files go with it, registered files stay."""
    service.delete(session, settings, dataset_id)


def _register(body: Registration, database: Database, settings: Settings) -> Dataset:
    def path(text: str, what: str) -> Path:
        return inside(settings.data, text, what)

    match body:
        case CocoRegistration():
            return registration.register_coco(
                database,
                body.name,
                path(body.train, "train"),
                path(body.val, "val"),
                path(body.images, "images"),
                val_images=path(body.val_images, "val_images") if body.val_images else None,
            )
        case VocRegistration():
            root = path(body.root, "root")
            return registration.register_voc(
                database, settings, body.name, root, train=body.train, val=body.val
            )
        case FoldersRegistration():
            train, val = path(body.train, "train"), path(body.val, "val")
            return registration.register_folders(database, settings, body.name, train, val)
        case ShapesRegistration():
            return registration.register_shapes(database, settings, body.name, _parameters(body))


def _parameters(body: ShapesRegistration) -> ShapesParameters:
    images, most = body.train + body.val, MOST_PIXELS // body.size**2
    if images > most:
        raise InvalidInput(
            f"{images:,} images of {body.size} x {body.size} pixels are too many to draw while a request waits; take "
            f"{most:,} or fewer, or smaller ones"
        )
    return ShapesParameters(train=body.train, val=body.val, size=body.size, seed=body.seed)
