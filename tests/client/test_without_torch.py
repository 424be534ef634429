"""The client needs neither torch nor pandas nor plotly; what is missing is named where it is needed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
ABSENT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ImportError(f"{name} is not installed here")

BLOCKED = ()
sys.meta_path.insert(0, Absent())
"""


def run(code: str, blocked: tuple[str, ...], *arguments: str) -> str:
    whole = ABSENT.replace("BLOCKED = ()", f"BLOCKED = {blocked!r}") + code
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", whole, *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_works_where_torch_and_more_are_absent(server: str, token: str) -> None:
    code = """
from eigenscope import Client
from eigenscope.client import Spectra
with Client(*sys.argv[1:]) as client:
    run = client.runs(tag="S")[0]
    found = client.spectra(run.id, "layer2.0")
    print(found.eigenvalues.shape, client.dimensions(run.id).values.shape, len(client.metrics(run.id)) > 3)
    for ask in (found.to_frame, lambda: client.figure("spectrum", run.id, layer="layer2.0")):
        try:
            ask()
        except Exception as error:
            print(type(error).__name__, error)
"""
    out = run(code, ("torch", "torchvision", "pandas", "plotly", "sqlalchemy", "celery"), server, token)
    assert out.splitlines() == [
        "(4, 128) (29, 4) True",
        "Unavailable a DataFrame needs pandas; install it: pip install pandas",
        "Unavailable a figure needs plotly; install it: pip install plotly",
    ]


def test_asking_for_the_client_loads_nothing_that_is_large() -> None:
    code = """
from eigenscope import Client
heavy = {"torch", "torchvision", "plotly", "pandas", "sqlalchemy", "fastapi", "pyarrow"}
print(sorted(heavy & set(sys.modules)))
"""
    assert run(code, ()) == "[]\n"
