"""The New run page: errors at their fields, marks of changes, JSON beside the form, one launch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from fastapi.testclient import TestClient
from playwright.sync_api import BrowserContext, Page, Route, expect
from sqlalchemy import func, select

from backend.database import Database
from backend.models import Run
from backend.settings import Settings

pytestmark = pytest.mark.browser


@pytest.fixture
def home(settings_of_an_empty_database: Settings, seed_runs: Callable[..., dict[str, int]]) -> Iterator[Any]:
    """Yield (database, ids of its runs by role); the test may change it."""
    database = Database(settings_of_an_empty_database.database)
    yield database, seed_runs(database, snapshots=(0, 1200))
    database.dispose()


@pytest.fixture
def own_server(
    home: Any,
    settings_of_an_empty_database: Settings,
    serving: Callable[[Settings], AbstractContextManager[str]],
    tab: Page,
) -> Iterator[str]:
    with serving(settings_of_an_empty_database) as address:
        yield address
        tab.goto("about:blank")


def runs_in(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Run)) or 0


def field(tab: Page, path: str) -> Any:
    return tab.locator(f"[data-path='{path}']")


def test_every_error_stands_at_its_field_and_the_first_gets_the_focus(tab: Page, server: str) -> None:
    tab.goto(f"{server}/new")
    tab.locator("#f-training-warmup").fill("5000")
    tab.locator("#f-training-image_size_min").fill("2000")
    expect(field(tab, "training.warmup").locator(".field-error")).to_contain_text("shorten the warm-up")
    expect(field(tab, "training.image_size_min").locator(".field-error")).to_contain_text("make it smaller")
    warmup = tab.locator("#f-training-warmup")
    expect(warmup).to_have_attribute("aria-invalid", "true")
    expect(warmup).to_have_attribute("aria-describedby", re.compile("f-training-warmup-error"))
    tab.locator("#launch").click()
    expect(warmup).to_be_focused()
    expect(tab.locator("#launch")).to_be_enabled()
    warmup.fill("")
    expect(field(tab, "training.warmup").locator(".field-error")).to_be_hidden()
    expect(warmup).not_to_have_attribute("aria-invalid", "true")


def test_a_short_training_needs_no_word_about_its_warm_up(tab: Page, server: str) -> None:
    tab.goto(f"{server}/new")
    tab.locator("#f-training-iterations").fill("50")
    expect(tab.locator("#cost-iterations")).to_have_text("50")
    expect(tab.locator(".field-error:visible")).to_have_count(0)


def test_help_is_a_key_away(tab: Page, server: str) -> None:
    tab.goto(f"{server}/new")
    help_text = tab.locator("#f-training-momentum-help")
    expect(help_text).to_be_hidden()
    tab.locator("#f-training-momentum").focus()
    expect(tab.locator("#about-focus")).to_contain_text("Of SGD.")
    tab.keyboard.press("Shift+Tab")
    tab.keyboard.press("Enter")
    expect(help_text).to_be_visible()
    expect(field(tab, "training.momentum").locator(".about-field")).to_have_attribute("aria-expanded", "true")


def test_a_copy_marks_what_differs_and_takes_it_back(tab: Page, server: str, roles: dict[str, int]) -> None:
    tab.goto(f"{server}/new?from={roles['S']}")
    expect(tab.locator("#changes")).to_be_hidden()
    tab.locator("#f-training-lr").fill("0.02")
    tab.locator("#f-training-flip").uncheck()
    tab.locator("[name=init-kind][value=imagenet]").check(force=True)
    expect(tab.locator("#changes-count")).to_have_text(f"3 changes from run {roles['S']}")
    was = field(tab, "training.lr").locator(".was")
    expect(was).to_contain_text("changed, was 0.01")
    expect(field(tab, "init").locator(".was").first).to_contain_text("changed, was scratch")
    was.get_by_role("button", name="Reset").click()
    expect(tab.locator("#f-training-lr")).to_have_value("0.01")
    expect(tab.locator("#changes-count")).to_have_text(f"2 changes from run {roles['S']}")
    tab.locator("#reset-all").click()
    expect(tab.locator("#changes")).to_be_hidden()
    expect(tab.locator("#f-training-flip")).to_be_checked()


def test_defaults_and_presets_begin_without_a_change(tab: Page, server: str) -> None:
    for address in ("/new", "/new?preset=both", "/new?preset=scratch-6x"):
        tab.goto(server + address)
        expect(tab.locator("#cost-parameters")).not_to_have_text("–")
        expect(tab.locator("#changes")).to_be_hidden()


def test_a_run_can_begin_at_a_checkpoint_of_the_copied_one(
    tab: Page, server: str, roles: dict[str, int]
) -> None:
    run = roles["pretraining"]
    tab.goto(f"{server}/new?from={run}&checkpoint=1200")
    expect(tab.locator("[name=init-kind][value=run]")).to_be_checked()
    expect(tab.locator("#f-init-run")).to_have_value(str(run))
    expect(tab.locator("#f-init-iteration")).to_have_value("1200")
    expect(tab.locator("#changes-count")).to_have_text(f"1 change from run {run}")


def test_json_and_form_follow_each_other(tab: Page, server: str) -> None:
    tab.goto(f"{server}/new")
    tab.locator("#raw summary").click()
    area = tab.locator("#json")
    expect(area).to_have_value(re.compile('"lr": 0.005'))
    tab.locator("#f-training-lr").fill("0.25")
    expect(area).to_have_value(re.compile('"lr": 0.25'))
    typed = json.loads(area.input_value())
    typed["training"] |= {"milestones": [600, 800], "clip_norm": 3}
    typed["model"]["widths"] = {"fpn": 64}
    area.fill(json.dumps(typed))
    expect(tab.locator("#f-training-milestones")).to_have_value("600, 800")
    expect(tab.locator("#f-model-widths")).to_have_value("fpn=64")
    expect(tab.locator("#f-training-clip_norm")).to_have_value("3")
    typed["training"]["evaluate_every"] = 5
    area.fill(json.dumps(typed))
    expect(tab.locator("#json-error")).to_have_text(
        re.compile("training.evaluate_every: .*evaluate_every is meant")
    )
    area.fill("{")
    expect(tab.locator("#json-error")).to_contain_text("This is no JSON")
    tab.locator("#launch").click()
    expect(area).to_be_focused()


def test_what_is_refused_is_not_queued_and_a_double_click_launches_once(
    tab: Page, own_server: str, home: Any
) -> None:
    database, roles = home
    before = runs_in(database)
    tab.goto(f"{own_server}/new?from={roles['S']}")
    tab.locator("#f-training-warmup").fill("5000")
    tab.locator("#launch").dblclick()
    expect(tab.locator("#f-training-warmup")).to_be_focused()
    assert runs_in(database) == before
    tab.locator("#f-training-warmup").fill("10")
    tab.locator("#f-name").fill("once")
    tab.locator("#launch").dblclick()
    tab.wait_for_url(re.compile(r"/runs/\d+$"))
    assert runs_in(database) == before + 1


def test_both_are_launched_at_once_and_compared(tab: Page, own_server: str, home: Any) -> None:
    database, _ = home
    before = runs_in(database)
    tab.goto(f"{own_server}/new?preset=both")
    expect(tab.locator("#launch")).to_have_text("Launch both")
    tab.locator("#launch").click()
    tab.wait_for_url(re.compile(r"/compare\?runs=\d+,\d+"))
    assert runs_in(database) == before + 2
    with database.reading() as session:
        launched = session.scalars(select(Run).order_by(Run.id.desc()).limit(2)).all()
    assert [run.specification["init"]["kind"] for run in launched] == ["scratch", "imagenet"]
    assert [run.tags for run in launched] == [["S"], ["I"]]
    shared = ("model", "training", "probe", "dataset_id")
    assert all(launched[0].specification[part] == launched[1].specification[part] for part in shared)


def test_a_pair_whose_second_is_refused_queues_nothing_and_says_why(
    browser: BrowserContext, own_server: str, home: Any
) -> None:
    database, roles = home
    before = runs_in(database)
    page = browser.new_page()
    page.goto(f"{own_server}/new?preset=both")
    expect(page.locator("#cost-parameters")).not_to_have_text("–")

    def spoil(route: Route) -> None:
        body = route.request.post_data_json
        body["runs"][1]["init"] = {"kind": "run", "run_id": roles["queued"], "iteration": 7}
        route.continue_(post_data=json.dumps(body))

    page.route("**/api/v1/runs/together", spoil)
    page.locator("#launch").click()
    expect(page.locator(".field-error", has_text="none is queued")).to_be_visible()
    expect(page.locator("#launch")).to_be_enabled()
    assert runs_in(database) == before
    page.close()


def test_the_launch_bar_stays_in_view_on_a_telephone(tab: Page, server: str) -> None:
    tab.set_viewport_size({"width": 390, "height": 844})
    tab.goto(f"{server}/new")
    expect(tab.locator("#launch-summary")).to_contain_text("1,000 iterations")
    for place in (0, 1500, 100_000):
        tab.evaluate("(y) => window.scrollTo(0, y)", place)
        expect(tab.locator("#launch")).to_be_in_viewport(ratio=1)
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_checkpoint_that_is_not_kept_is_named(client: TestClient, roles: dict[str, int]) -> None:
    answer = client.get(f"/new?from={roles['pretraining']}&checkpoint=7")
    assert answer.status_code == 404
    assert "keeps no checkpoint of iteration 7; it keeps 1200" in answer.text


def test_archived_runs_are_no_first_weights_unless_named(
    client: TestClient, roles: dict[str, int], passing_run: Callable[..., int]
) -> None:
    run = passing_run(name="put away")
    offered = f'<option value="{run}"'
    assert offered in client.get("/new").text
    passing_run(archived=True)
    assert offered not in client.get("/new").text
    spec = client.get(f"/api/v1/runs/{roles['I']}").json()["specification"]
    passing_run(specification=spec | {"init": {"kind": "run", "run_id": run, "iteration": None}})
    assert f"{offered} selected" in client.get(f"/new?from={run}").text
