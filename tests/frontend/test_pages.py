"""Pages and the figures' endpoint over a seeded database."""

from __future__ import annotations

import gzip
import html
import json
import math
import re
from html.parser import HTMLParser

import pytest
from fastapi.testclient import TestClient

from backend.settings import Settings
from eigenscope.server import build_app
from frontend.figure_catalogue import FIGURES

ESCAPED = html.escape("<img src=x onerror=window.hacked=1><b>%{x}</b>")


def test_runs_lists_every_run_with_status_and_result(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get("/").text
    for run in roles.values():
        assert f'id="run-{run}"' in page
    assert "37.4" in page
    assert "28.3 M" in page
    assert "2 running, 1 queued, 1 failed" in page


def test_runs_are_filtered_and_sorted_by_the_address(client: TestClient, roles: dict[str, int]) -> None:
    failed = client.get("/", params={"status": "failed"}).text
    assert re.findall(r'id="run-(\d+)"', failed) == [str(roles["failed"])]
    best = client.get("/", params={"sort": "-ap", "text": "ResNet-18 FPN"}).text
    assert re.findall(r'id="run-(\d+)"', best) == [str(roles["I"]), str(roles["S"])]
    assert "No run fits" in client.get("/", params={"text": "no such thing"}).text


def test_failed_run_says_why(client: TestClient, roles: dict[str, int]) -> None:
    page = client.get(f"/runs/{roles['failed']}").text
    assert "the loss became NaN at iteration 37" in page


def test_actions_are_enabled_where_they_are_valid(client: TestClient, roles: dict[str, int]) -> None:
    def disabled(role: str) -> dict[str, bool]:
        page = client.get(f"/runs/{roles[role]}").text
        buttons = re.findall(
            r'data-action="(\w+)" data-name="[^"]*" aria-describedby="why-\w+"( aria-disabled)?', page
        )
        return {action: bool(off) for action, off in buttons}

    under_way = {"resume": True, "retry": True, "cancel": False, "archive": True, "delete": False}
    assert disabled("running") == under_way
    # It has saved nothing that it could go on from.
    assert disabled("failed") == {action: action in ("cancel", "resume") for action in under_way}


def test_compare_says_what_else_differs(client: TestClient, roles: dict[str, int]) -> None:
    alike = client.get(f"/compare?runs={roles['I']},{roles['S']}").text
    assert "These runs also differ" not in alike
    assert "I − S, in points of the width" in alike
    unlike = client.get(f"/compare?runs={roles['I']},{roles['running']}").text
    assert "also differ in backbone, norm and seed" in unlike


def test_compare_without_runs_says_how_to_choose(client: TestClient) -> None:
    assert "Select two or more runs" in client.get("/compare").text


@pytest.mark.parametrize(
    ("address", "status"), [("/runs/999", 404), ("/nowhere", 404), ("/compare?runs=x", 422)]
)
def test_errors_are_pages_for_browsers_and_json_for_programs(
    client: TestClient, address: str, status: int
) -> None:
    page = client.get(address)
    assert page.status_code == status
    assert page.headers["content-type"].startswith("text/html")
    program = client.get(address, headers={"Accept": "application/json"})
    assert program.status_code == status
    assert set(program.json()) >= {"error", "detail"}


def test_names_stay_text_on_every_page(client: TestClient, roles: dict[str, int]) -> None:
    run = roles["hostile"]
    for address in ("/", f"/runs/{run}", f"/compare?runs={run},{roles['I']}", f"/new?from={run}"):
        page = client.get(address).text
        assert ESCAPED in page, address
        assert "<img src=x" not in page, address
        assert "<script>window.hacked" not in page, address


def test_names_stay_text_in_figures(client: TestClient, roles: dict[str, int]) -> None:
    runs, layer = str(roles["hostile"]), "<script>window.hacked=1</script>"
    for name in FIGURES:
        asked = f"{runs},{roles['I']}" if name == "heatmap_difference" else runs
        answer = client.get(f"/api/v1/figures/{name}", params={"runs": asked, "layer": layer})
        assert answer.status_code == 200, name
        figure = answer.json()
        figure["layout"]["meta"].pop("layers")
        figure["layout"]["meta"].pop("layer", None)
        drawn = json.dumps(figure)
        assert "<script" not in drawn, name
        assert "<img" not in drawn, name


@pytest.mark.parametrize("name", list(FIGURES))
def test_every_figure_answers_for_every_kind_of_run(
    client: TestClient, roles: dict[str, int], name: str
) -> None:
    sets = [["I"], ["pretraining"], ["queued"], ["running"], ["recorded"]]
    if name == "heatmap_difference":
        sets = [["I", "S"], ["I", "running"], ["I", "queued"], ["recorded", "recording"], ["I", "recorded"]]
    for chosen in sets:
        runs = ",".join(str(roles[role]) for role in chosen)
        answer = client.get(
            f"/api/v1/figures/{name}", params={"runs": runs, "layer": "layer4.1", "theme": "dark"}
        )
        assert answer.status_code == 200, (chosen, answer.text)


def test_figure_endpoint_refuses_what_it_cannot_draw(client: TestClient, roles: dict[str, int]) -> None:
    def refused(name: str, **query: str) -> str:
        answer = client.get(f"/api/v1/figures/{name}", params=query)
        assert answer.status_code in (404, 422)
        return str(answer.json()["detail"])

    assert "there is no figure 'nothing'" in refused("nothing", runs="1")
    assert "between 2 runs" in refused("heatmap_difference", runs=str(roles["I"]))
    assert "there is no run 999" in refused("losses", runs="999")
    assert "there is no criterion" in refused("heatmap", runs=str(roles["I"]), criterion="guess")


def test_figure_follows_criterion_and_iteration(client: TestClient, roles: dict[str, int]) -> None:
    query = {"runs": str(roles["S"]), "layer": "layer4.1", "iteration": "99", "criterion": "stable_rank"}
    figure = client.get("/api/v1/figures/spectrum", params=query).json()
    marker = figure["data"][1]
    assert marker["customdata"][0][0] == 10, "the last snapshot not later than 99"
    assert marker["customdata"][0][1] == pytest.approx(marker["x"][0])
    assert not figure["layout"].get("shapes")


@pytest.mark.parametrize(
    "name", ["heatmap", "heatmap_difference", "spectrum", "dimension_by_iteration", "dimension_by_depth"]
)
def test_figures_of_a_slope_say_so(client: TestClient, roles: dict[str, int], name: str) -> None:
    runs = f"{roles['I']},{roles['S']}" if name != "heatmap" else str(roles["I"])
    query = {"runs": runs, "layer": "layer4.1", "criterion": "power_law"}
    figure = client.get(f"/api/v1/figures/{name}", params=query).json()
    if name == "spectrum":
        fit = figure["data"][1]
        assert fit["meta"]["part"] == "fit"
        assert fit["customdata"][0][1] == pytest.approx(math.log(fit["y"][0] / fit["y"][1], fit["x"][1]))
    else:
        assert figure["layout"]["meta"]["quantity"] == "Power-law slope α"


def test_new_run_is_filled_from_presets_and_runs(client: TestClient, roles: dict[str, int]) -> None:
    assert 'value="18000"' in client.get("/new?preset=I").text
    both = client.get("/new?preset=both").text
    assert 'data-pair="true"' in both
    assert "Launch both" in both
    assert 'value="0.4"' in client.get(f"/new?from={roles['failed']}").text
    assert client.get("/new?preset=none").status_code == 404
    pair = client.get("/new?preset=1x-both").text
    assert "1x both" in pair
    assert 'data-pair="true"' in pair
    assert 'value="90000"' in pair
    smaller = client.get("/new?preset=1x&dataset_id=&batch_size=4").text
    assert 'value="360000"' in smaller
    assert "90,000 iterations of 16 images, rate 0.02" in smaller
    assert "/new?preset=2x&amp;batch_size=4" in smaller


def test_a_run_says_why_each_checkpoint_is_kept(client: TestClient, roles: dict[str, int]) -> None:
    run_id = roles["pretraining"]
    (one,) = client.get(f"/api/v1/runs/{run_id}/checkpoints").json()
    assert (one["iteration"], one["kept_as"]) == (1200, ["last"])
    page = client.get(f"/runs/{run_id}").text
    assert re.search(r"<b>last</b> <span[^>]*>The newest: what the run goes on from.</span>", page)
    assert f"/new?from={run_id}&amp;checkpoint=1200" in page


def test_plotly_and_static_files_are_kept_by_browsers(client: TestClient) -> None:
    page = client.get("/compare?runs=2,3").text
    address = re.search(r'src="(/plotly/[^"]+)"', page)
    assert address
    answer = client.get(address.group(1), headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-encoding"] == "gzip"
    assert len(gzip.compress(answer.content, 1)) < 2_000_000
    for static in set(re.findall(r'(?:src|href)="(/static/[^"]+)"', page)):
        found = client.get(static)
        assert found.status_code == 200, static
        assert "immutable" in found.headers["cache-control"]


def attributes(page: str) -> set[str]:
    """Return the names of all attributes of a page's elements, as a browser takes them."""
    found: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update(name for name, _ in attrs)

    Reader().feed(page)
    assert "href" in found
    return found


def test_pages_need_no_inline_script(client: TestClient, roles: dict[str, int]) -> None:
    for address in ("/", f"/runs/{roles['I']}", "/compare?runs=2,3", "/new", "/system", "/sign-in"):
        page = client.get(address).text
        assert not re.search(r"<script(?![^>]*(src=|application/json))", page), address
        assert not [name for name in attributes(page) if name.startswith("on")], address
        assert " style=" not in page, address


def test_system_lists_workers_queue_and_datasets(client: TestClient) -> None:
    page = client.get("/system").text
    assert "host" in page
    assert "S: seed 2" in page
    assert "generated" in page


def test_empty_database_says_how_to_begin(settings_of_an_empty_database: Settings) -> None:
    with TestClient(build_app(settings_of_an_empty_database), base_url="http://127.0.0.1") as fresh:
        assert "make demo" in fresh.get("/").text
        new = fresh.get("/new").text
        assert "make-shapes" in new
        assert "No worker has reported" in fresh.get("/system").text
