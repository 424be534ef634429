"""Nothing in the product unpickles: a file from elsewhere must not be able to run anything."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.broker import celery_application
from backend.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    path
    for folder in ("backend", "frontend", "worker", "eigenscope", "migrations", "docs")
    for path in (ROOT / folder).rglob("*.py")
)
RUNNING = {"cPickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "pickle", "shelve"}
HARMLESS = {("pickle", "UnpicklingError")}
"""What torch raises. (`pickletools` only names a pickle's steps, see backend/weights/pickles.py.)"""
BUILTINS = {"eval", "exec", "compile", "__import__"}


def problems(source: str) -> Iterator[str]:
    """Yield what in a module's text could run what it reads."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (f"imports {one.name}" for one in node.names if one.name.split(".")[0] in RUNNING)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in RUNNING:
            names = {(node.module, one.name) for one in node.names} - HARMLESS
            yield from (f"imports {module}.{name}" for module, name in names)
        elif isinstance(node, ast.Call):
            yield from _calls(node)


def _calls(node: ast.Call) -> Iterator[str]:
    called = ast.unparse(node.func)
    given = {one.arg: ast.unparse(one.value) for one in node.keywords}
    if called == "torch.load" and given.get("weights_only") != "True":
        yield "torch.load without weights_only=True"
    if given.get("allow_pickle", "False") != "False":
        yield f"{called} with allow_pickle"
    if called in BUILTINS:
        yield f"{called}()"
    if called.endswith((".extractall", "unpack_archive", ".extract")):
        yield f"{called} writes where the archive says"
    if called in ("yaml.load", "yaml.unsafe_load", "pandas.read_pickle", "pd.read_pickle"):
        yield called
    if given.get("shell", "False") != "False" or called == "os.system":
        yield f"{called} through a shell"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_runs_nothing_that_it_reads(path: Path) -> None:
    assert list(problems(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import joblib.memory",
        "from pickle import loads",
        "import torch; torch.load(f)",
        "import torch; torch.load(f, weights_only=False)",
        "import numpy as np; np.load(f, allow_pickle=True)",
        "eval(text)",
        "archive.extractall(folder)",
        "shutil.unpack_archive(file)",
        "subprocess.run(words, shell=True)",
    ],
)
def test_this_test_would_find_it(source: str) -> None:
    assert list(problems(source))


def test_messages_between_processes_are_json(tmp_path: Path) -> None:
    conf = celery_application(Settings(home=tmp_path, _env_file=None)).conf
    assert list(conf.accept_content) == ["json"]
    assert (conf.task_serializer, conf.event_serializer) == ("json", "json")
