"""The demo's page: its three runs as they train, and at the end the way to their comparison."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from backend.http.dependencies import ReadSession, SettingsDep
from backend.runs import demonstration
from backend.runs.presentation import RunItem, items
from backend.system import endpoints
from frontend.templating import page

router = APIRouter()


@dataclass(frozen=True)
class Step:
    """One run of the demo, and what it is for."""

    run: RunItem
    title: str
    about: str


@dataclass(frozen=True)
class DemoView:
    """The demo as far as it has come."""

    steps: tuple[Step, Step, Step]

    @property
    def comparison(self) -> str:
        """The address that compares I with S."""
        return f"/compare?runs={self.steps[1].run.id},{self.steps[2].run.id}"

    @property
    def comparable(self) -> bool:
        """Whether both detectors have spectra to compare."""
        return all(step.run.summary.snapshots for step in self.steps[1:])

    @property
    def done(self) -> bool:
        """Whether all three were trained to their end."""
        return all(step.run.status == "succeeded" for step in self.steps)

    @property
    def broken(self) -> list[Step]:
        """The steps that will not come to their end by themselves."""
        return [step for step in self.steps if step.run.status in ("failed", "cancelled", "lost")]


@router.get("/demo")
def show(request: Request, session: ReadSession, settings: SettingsDep) -> HTMLResponse:
    """Show the newest demo, or offer one."""
    found = demonstration.newest(session)
    alive = any(worker.alive for worker in endpoints.workers(session, settings))
    return page(request, "demo.html", view=_view(items(session, found.runs)) if found else None, alive=alive)


def _view(runs: list[RunItem]) -> DemoView:
    pretraining, pretrained, scratch = runs
    return DemoView(
        (
            Step(
                pretraining,
                "Pre-train",
                "A classifier learns the objects, cut out one by one: its weights are I's.",
            ),
            Step(pretrained, "I: pre-trained", "A detector starts from those weights, once they are there."),
            Step(scratch, "S: from scratch", "The same detector starts from random weights."),
        )
    )
