"""Modules joined into one file do what they do apart, and nothing is served but what there is."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from frontend import modules
from frontend.assets import script_url, static_version

TEMPLATES = Path(modules.__file__).parent / "templates"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setattr(modules, "FOLDER", tmp_path)
    caches = (modules.module_names, modules.joined, modules._imports, modules._text)
    for kept in caches:
        kept.cache_clear()
    yield tmp_path
    for kept in caches:
        kept.cache_clear()


def ran(text: str, tmp_path: Path) -> str:
    file = tmp_path / "all.mjs"
    file.write_text(text)
    node = shutil.which("node")
    assert node
    return subprocess.run([node, str(file)], capture_output=True, text=True, check=True).stdout


def test_each_module_runs_once_and_after_those_it_needs(folder: Path, tmp_path: Path) -> None:
    (folder / "a-b.js").write_text(
        'import { hidden as own, Thing } from "./base.js";\nimport { also } from "./c.js";\n'
        "const local = 1;\nconsole.log(own(), new Thing().name, also, local);\n"
    )
    (folder / "c.js").write_text(
        'import { hidden } from "./base.js";\nexport { Thing } from "./base.js";\n'
        'const local = 2;\nexport const also = hidden() + local;\nconsole.log("c");\n'
    )
    (folder / "base.js").write_text(
        'console.log("base");\nconst local = 3;\nexport async function late() {}\n'
        'export function hidden() {\n  return local;\n}\nexport class Thing {\n  name = "thing";\n}\n'
    )
    assert ran(modules.joined(("a-b.js", "c.js")), tmp_path) == "base\nc\n3 thing 5 1\n"


def test_what_cannot_be_joined_is_refused(folder: Path) -> None:
    (folder / "one.js").write_text('import { two } from "./two.js";\nexport const one = two;\n')
    (folder / "two.js").write_text('import { one } from "./one.js";\nexport const two = one;\n')
    (folder / "odd.js").write_text("export default 3;\n")
    with pytest.raises(ValueError, match=r"import each other: one\.js → two\.js → one\.js"):
        modules.joined(("one.js",))
    with pytest.raises(
        ValueError, match=r"odd\.js has an import or export that cannot be joined: export default 3"
    ):
        modules.joined(("odd.js",))
    with pytest.raises(KeyError):
        modules.joined(("../secret.js",))


def test_every_page_has_one_script_of_modules_that_exist() -> None:
    listed = {
        name
        for page in TEMPLATES.glob("*.html")
        for names in re.findall(r"\{% set modules = \[(.*?)\]", page.read_text())
        for name in re.findall(r'"([^"]+)"', names)
    }
    assert len(listed) > 10
    assert listed <= modules.module_names()
    assert not [
        page.name for page in TEMPLATES.glob("*.html") if 'type="module" src="{{ static' in page.read_text()
    ]


def test_every_module_can_be_joined(tmp_path: Path) -> None:
    everything = modules.joined(tuple(sorted(modules.module_names())))
    node = shutil.which("node")
    assert node
    (tmp_path / "all.mjs").write_text(everything)
    subprocess.run([node, "--check", str(tmp_path / "all.mjs")], check=True, capture_output=True)


def test_a_script_is_kept_by_browsers_and_an_unknown_one_is_refused(client: TestClient) -> None:
    found = client.get(script_url("page.js", "compare.js"))
    assert found.status_code == 200
    assert found.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert found.headers["content-encoding"] == "gzip"
    assert found.text == modules.joined(("page.js", "compare.js"))
    plain = client.get(script_url("page.js", "compare.js"), headers={"Accept-Encoding": "identity"})
    assert plain.text == found.text
    old = client.get("/static/000000000000/joined/page.js")
    assert old.headers["cache-control"] == "no-cache"
    for name in ("nothing", "page+page", "..%5cpage", "+"):
        refused = client.get(f"/static/{static_version()}/joined/{name}.js")
        assert refused.status_code == 404, name
