"""REST endpoint of a dataset's images."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Header, Query, Response
from fastapi import Path as PathParameter

from backend.datasets import service
from backend.datasets.pictures import Picture
from backend.http.dependencies import DatabaseDep

router = APIRouter(prefix="/datasets", tags=["datasets"])
SECONDS = 3600
"""How long a browser shows an image without asking whether it changed."""


@router.get(
    "/{dataset_id}/images/{split}/{image_id}",
    response_class=Response,
    responses={
        200: {"content": {"image/jpeg": {}}, "description": "The image."},
        304: {"description": "The image of the ETag in If-None-Match is still right."},
    },
)
def get_image(
    dataset_id: Annotated[int, PathParameter(ge=1, lt=2**31)],
    split: Literal["train", "val"],
    image_id: Annotated[int, PathParameter(ge=-(2**63), lt=2**63, description="As in the annotation file.")],
    database: DatabaseDep,
    size: Annotated[int, Query(ge=16, le=2048, description="Longer side in pixels, at most.")] = 640,
    if_none_match: Annotated[str, Header(max_length=1000)] = "",
) -> Response:
    """Return an image as JPEG, its longer side at most `size` pixels; smaller images keep their size."""
    # The connection goes back before the image is decoded.
    with database.reading() as session:
        picture = Picture(service.image_file(session, dataset_id, split, image_id), size)
    etag = picture.etag()
    headers = {"ETag": etag, "Cache-Control": f"private, max-age={SECONDS}"}
    if etag in if_none_match:
        return Response(status_code=304, headers=headers)
    return Response(picture.jpeg(), media_type="image/jpeg", headers=headers)
