"""The Widths pages over a seeded database: what is asked for, refused, launched and found."""

from __future__ import annotations

import html
import json
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend.models import Run, WidthPlan, WidthPlanRun
from backend.settings import Settings
from eigenscope.server import build_app

API = "/api/v1/width-plans"
FIGURES = ("width_groups", "width_parameters", "width_macs", "width_curve")


def view(page: str) -> dict[str, Any]:
    found = re.search(r'id="view">(.*?)</script>', page)
    assert found
    return dict(json.loads(found.group(1)))


def text(client: TestClient, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return html.unescape(answer.text)


def refusal(client: TestClient, query: str) -> str:
    return str(view(client.get(f"/widths?{query}").text)["refusal"])


@pytest.fixture
def plan(widths_client: TestClient, widths_home: Any) -> dict[str, Any]:
    answer = widths_client.post(API, json={"run_id": widths_home.source})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def launch(client: TestClient, plan: dict[str, Any], **changes: Any) -> dict[str, list[int]]:
    """Launch the retraining; return run ids by role."""
    body = {"seeds": [0, 1], "baseline": True, "norm": "batch"} | changes
    answer = client.post(f"{API}/{plan['id']}/runs", json=body)
    assert answer.status_code == 201, answer.text
    by_role: dict[str, list[int]] = {}
    for run in client.get(f"{API}/{plan['id']}").json()["runs"]:
        by_role.setdefault(run["role"], []).append(run["run_id"])
    return by_role


def test_the_page_is_the_previews_plan(widths_client: TestClient, widths_home: Any) -> None:
    page = text(widths_client, f"/widths?run={widths_home.source}&t=0.01&tie=mean")
    body = {"run_id": widths_home.source, "threshold": 0.01, "tie": "mean"}
    plan = widths_client.post(f"{API}?preview=true", json=body).json()
    shown = view(page)
    assert shown["request"]["threshold"] == 0.01
    assert shown["now"]["kept"][0] == plan["totals"]["backbone_parameters_ratio"]
    for group in plan["groups"]:
        row = re.search(rf'<tr><th scope="row">{group["group"]}</th>.*?</tr>', page)
        assert row
        assert f">{group['width']:,}<" in row.group()
    assert "fewer than 8 positions per channel" in page
    assert "At least 27 % fewer backbone parameters" in page
    assert page.count('<li class="met') == 2


def test_what_is_chosen_stands_in_the_controls(widths_client: TestClient, widths_home: Any) -> None:
    query = (
        f"run={widths_home.source}&i=100&c=variance&t=0.9&macs=&params=0.5&div=16&cap=1&include=box_head&also="
        f"{widths_home.second}"
    )
    page = text(widths_client, f"/widths?{query}")
    assert '<option value="100" selected>' in page
    assert re.search(r'<option value="variance"[^>]* selected>', page)
    for key, value in (("t", "0.9"), ("macs", ""), ("params", "0.5"), ("div", "16"), ("min", "8")):
        assert re.search(rf'name="{key}"[^>]*value="{value}"', page), key
    for name, value in (("cap", "1"), ("include", "box_head"), ("also", str(widths_home.second))):
        assert f'name="{name}" value="{value}" checked' in page
    assert "power_law" not in page, "a slope is no number of dimensions"
    assert "mask head" not in page, "the architecture has none"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("i=7", "logged no spectra at 7"),
        ("c=magic", "there is no criterion 'magic'"),
        ("c=power_law", "is a slope and no number of dimensions"),
        ("t=100", "has 0 dimensions"),
        ("t=much", "Threshold `much` is not a number"),
        ("macs=0.0001", "no widths have 0.0001 of the original's MACs"),
        ("macs=", "MACs ≤ and Parameters ≤ are both empty"),
        ("also=99", "there is no run 99"),
        ("include=retina_head", "has no width group 'retina_head'"),
    ],
)
def test_a_refusal_is_a_sentence_and_the_controls_stay(
    widths_client: TestClient, widths_home: Any, query: str, sentence: str
) -> None:
    page = text(widths_client, f"/widths?run={widths_home.source}&{query}")
    assert sentence in view(page)["refusal"]
    assert 'id="controls"' in page
    assert "Backbone parameters" in page


def test_a_run_without_spectra_and_a_recorded_one_say_so(
    widths_client: TestClient, widths_home: Any, client: TestClient, roles: dict[str, int]
) -> None:
    assert "has logged no spectra" in refusal(widths_client, f"run={widths_home.bare}")
    assert "was recorded from somebody's own training" in refusal(client, f"run={roles['recorded']}")
    assert f"/widths?run={roles['recorded']}" not in client.get(f"/runs/{roles['recorded']}").text
    assert f"/widths?run={roles['I']}" in client.get(f"/runs/{roles['I']}").text
    assert "/widths?run=" not in client.get(f"/runs/{roles['queued']}").text


@pytest.mark.parametrize(
    ("address", "status"), [("/widths?run=99", 404), ("/widths?run=x", 422), ("/widths/99", 404)]
)
def test_what_is_not_there_is_an_error_page(widths_client: TestClient, address: str, status: int) -> None:
    page = widths_client.get(address)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")


def test_an_empty_server_says_how_to_get_spectra(settings_of_an_empty_database: Settings) -> None:
    with TestClient(build_app(settings_of_an_empty_database), base_url="http://127.0.0.1") as fresh:
        assert "No run has spectra yet" in fresh.get("/widths").text


def test_plans_are_listed_with_their_runs(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    launch(widths_client, plan)
    for address in ("/widths", f"/widths?run={widths_home.source}", f"/runs/{widths_home.source}"):
        page = text(widths_client, address)
        assert f'href="/widths/{plan["id"]}"' in page, address
        assert "4 queued" in page, address
    assert f"/widths/{plan['id']}" not in text(widths_client, f"/widths?run={widths_home.second}")
    assert "no spectra yet (3)" not in text(widths_client, "/widths"), "it cannot be chosen from"


def test_a_run_links_the_plan_it_was_launched_from(widths_client: TestClient, plan: dict[str, Any]) -> None:
    selected = launch(widths_client, plan)["selected"][0]
    assert f'<a href="/widths/{plan["id"]}">plan {plan["id"]}</a>' in text(widths_client, f"/runs/{selected}")


def test_a_frozen_source_is_retrained_with_another_norm(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    for address in (f"/widths?run={widths_home.source}", f"/widths/{plan['id']}"):
        norms = re.search(r'<select id="norm">(.*?)</select>', text(widths_client, address))
        assert norms
        assert re.findall(r'value="(\w*)"', norms.group(1)) == ["batch", "sync_batch", "group"]


def test_the_result_with_spread_and_verdict(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    address = f"/widths/{plan['id']}"
    assert "No run has been launched from this plan." in text(widths_client, address)
    roles = launch(widths_client, plan)
    page = text(widths_client, address)
    assert "0 of 4 runs have ended." in page
    assert "31.6 M" in page, "the plan says what no run has measured yet"
    for role, ap in (("baseline", (0.34, 0.36)), ("selected", (0.35, 0.37))):
        for run_id, value in zip(roles[role], ap, strict=True):
            widths_home.change([run_id], status="succeeded", ap=value)
            widths_home.measure(run_id, forward_seconds=0.0123, forward_bytes=2.0**27)
    page = text(widths_client, address)
    row = re.search(r'<tr class="role-selected">.*?</tr>', page, re.DOTALL)
    assert row
    assert "36.0" in row.group()
    assert "± 1.4" in row.group()
    assert "12.3 ms" in row.group()
    assert "128 MiB" in row.group()
    assert "2 succeeded" in row.group()
    assert "AP +1.0 points, 2 seeds against 2 seeds; the baseline's seeds spread by 1.4." in page
    assert page.count('<li class="met">') == 2
    assert re.search(
        r'<li class="met-in-doubt">.*?but \d+ of the \d+ % comes from groups measured with too few', page
    )
    assert 'value="2"' in page, "the form offers the next seed"


def test_latencies_are_told_as_what_they_are(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    roles = launch(widths_client, plan)
    for role, seconds in (("baseline", (0.087, 0.598)), ("selected", (0.07, 0.071))):
        for run_id, value in zip(roles[role], seconds, strict=True):
            widths_home.change([run_id], status="succeeded", ap=0.3, device="cpu", iteration=1200)
            widths_home.measure(run_id, forward_seconds=value, forward_threads=2.0)
    address = f"/widths/{plan['id']}"
    page = text(widths_client, address)
    assert "87.0 ms to 598 ms" in page
    assert "have networks of the same widths and took 87 and 598 ms" in page
    assert "each run measured its own network when it ended (cpu, 2 threads)" in page
    assert 'class="change"' not in page.partition('class="result"')[2].partition("</table>")[0]
    turns = {
        f"together_seconds.{role}": s for role, s in (("source", 0.1), ("baseline", 0.1), ("selected", 0.08))
    }
    widths_home.measure(roles["baseline"][1], **turns)
    page = text(widths_client, address)
    assert "all networks measured in turns by one process" in page
    assert "cannot be compared" not in page
    assert re.search(r'80.0 ms <b class="change">−20 %</b>', page)


def test_a_source_from_scratch_is_said_to_be_a_baseline(widths_client: TestClient, widths_home: Any) -> None:
    with widths_home.database.writing() as session:
        run = session.get_one(Run, widths_home.source)
        scratch = {"model": run.specification["model"] | {"norm": "batch"}, "init": {"kind": "scratch"}}
        run.specification = run.specification | scratch
        run.attempt, run.started_at = 1, datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
        run.finished_at = datetime(2026, 11, 24, 12, 4, 39, tzinfo=UTC)
    assert 'data-source-seed="0" data-source-seconds="279"' in text(
        widths_client, f"/widths?run={widths_home.source}"
    )
    assert 'data-source-seed="" data-source-seconds=""' in text(
        widths_client, f"/widths?run={widths_home.second}"
    )
    plan = widths_client.post(API, json={"run_id": widths_home.source}).json()
    assert len(launch(widths_client, plan, norm=None)["baseline"]) == 1
    assert "The source counts as the baseline's seed 0" in text(widths_client, f"/widths/{plan['id']}")


def test_what_a_plan_trained_is_no_source_to_begin_with(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    def first() -> str:
        found = re.search(r'<option value="(\d+)" selected>', text(widths_client, "/widths"))
        assert found
        return found.group(1)

    assert first() == str(widths_home.second), "the newest"
    with widths_home.database.writing() as session:
        session.add(WidthPlanRun(run_id=widths_home.second, plan_id=plan["id"], role="selected"))
    assert first() == str(widths_home.source)


def test_archived_runs_are_left_out_unless_named(widths_client: TestClient, widths_home: Any) -> None:
    widths_home.change([widths_home.second], archived=True)
    option = f'<option value="{widths_home.second}"'
    assert option not in text(widths_client, "/widths")
    page = text(widths_client, f"/widths?run={widths_home.source}")
    assert option not in page
    assert "Average with" not in page
    also = f'name="also" value="{widths_home.second}" checked'
    assert also in text(widths_client, f"/widths?run={widths_home.source}&also={widths_home.second}")
    assert f"{option} selected" in text(widths_client, f"/widths?run={widths_home.second}")


def test_failed_runs_say_why_and_leave_the_verdict_open(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    roles = launch(widths_client, plan)
    widths_home.change(roles["selected"], status="failed", error="the loss became NaN at iteration 37")
    page = text(widths_client, f"/widths/{plan['id']}")
    assert "the loss became NaN at iteration 37" in page
    assert "No selected run succeeded (failed); resume or launch it again." in page
    assert '<li class="not-yet-known">' in page


def test_a_plan_outlives_its_source(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    assert widths_client.delete(f"/api/v1/runs/{widths_home.source}").status_code == 204
    page = text(widths_client, f"/widths/{plan['id']}")
    assert f"(run {widths_home.source}, since deleted)" in page
    assert f"/runs/{widths_home.source}" not in page
    assert "deleted</small>" in text(widths_client, "/widths")
    for name in FIGURES[:3]:
        assert widths_client.get(f"/api/v1/figures/{name}/{plan['id']}").status_code == 200


def test_rounds_link_each_other_and_a_stopped_chain_says_why(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    second = widths_client.post(API, json={"run_id": widths_home.source}).json()["id"]
    with widths_home.database.writing() as session:
        session.execute(
            update(WidthPlan).where(WidthPlan.id == second).values(previous_plan_id=plan["id"], problem="why")
        )
    assert f'href="/widths/{second}">Next round' in text(widths_client, f"/widths/{plan['id']}")
    page = text(widths_client, f"/widths/{second}")
    assert f'href="/widths/{plan["id"]}">← Previous round' in page
    assert "The next round could not begin.</b> why" in page


def test_a_plan_is_downloaded(widths_client: TestClient, plan: dict[str, Any]) -> None:
    page = text(widths_client, f"/widths/{plan['id']}")
    links = dict(re.findall(r'href="(/api/[^"]+)" download="([^"]+)"', page))
    assert links == {
        f"{API}/{plan['id']}": f"width-plan-{plan['id']}.json",
        f"{API}/{plan['id']}/snippet": f"width_plan_{plan['id']}.py",
    }
    for address in links:
        assert widths_client.get(address).status_code == 200


@pytest.mark.parametrize("name", FIGURES)
def test_figures_follow_the_request(widths_client: TestClient, widths_home: Any, name: str) -> None:
    def drawn(**query: Any) -> str:
        answer = widths_client.get(f"/api/v1/figures/{name}", params={"run_id": widths_home.source} | query)
        assert answer.status_code == 200, answer.text
        return json.dumps(answer.json()["data"])

    assert drawn() != drawn(threshold=0.01)
    assert drawn() != drawn(cap="true", budget="")
    assert drawn() != drawn(theme="dark")
    refused = widths_client.get(f"/api/v1/figures/{name}", params={"run_id": widths_home.source, "hue": "1"})
    assert refused.status_code == 422
    assert "no such field" in refused.json()["detail"]


def test_figures_are_those_of_the_plan(
    widths_client: TestClient, widths_home: Any, plan: dict[str, Any]
) -> None:
    for name in FIGURES[:3]:
        stored = widths_client.get(f"/api/v1/figures/{name}/{plan['id']}").json()
        asked = widths_client.get(f"/api/v1/figures/{name}?run_id={widths_home.source}").json()
        assert stored == asked


def test_names_stay_text(widths_client: TestClient, widths_home: Any, plan: dict[str, Any]) -> None:
    hostile = "<img src=x onerror=window.hacked=1>"
    widths_home.change([widths_home.source, widths_home.second], name=hostile)
    other = widths_client.post(API, json={"run_id": widths_home.source}).json()["id"]
    for address in ("/widths", f"/widths?run={widths_home.source}", f"/widths/{other}"):
        page = widths_client.get(address).text
        assert html.escape(hostile) in page, address
        assert "<img src=x" not in page, address
        assert " style=" not in page, address
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page), address
    for name in FIGURES[:3]:
        assert "<img" not in widths_client.get(f"/api/v1/figures/{name}/{other}").text


def test_a_run_of_another_norm_offers_the_sources_own(widths_client: TestClient, widths_home: Any) -> None:
    with widths_home.database.writing() as session:
        run = session.get_one(Run, widths_home.second)
        scratch = {"model": run.specification["model"] | {"norm": "group"}, "init": {"kind": "scratch"}}
        run.specification = run.specification | scratch
    page = text(widths_client, f"/widths?run={widths_home.second}")
    norms = re.search(r'<select id="norm">(.*?)</select>', page)
    assert norms
    assert re.findall(r'value="(\w*)"', norms.group(1)) == ["", "batch", "sync_batch"]
    assert "Average with" not in page, "no other run has this network"
