"""`eigenscope doctor`: says what is wrong and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.exc import SQLAlchemyError

from backend.errors import EigenscopeError
from backend.settings import Settings
from eigenscope.checks import machine, services, stored
from eigenscope.instance import read_settings
from eigenscope.terminal.output import print_json

CHECKS = (
    stored.home,
    stored.database,
    services.broker,
    services.workers,
    stored.clock,
    stored.disk,
    stored.files,
    machine.gpu,
    machine.versions,
)


def doctor(
    worker: Annotated[
        bool, typer.Option("--worker", help="Only whether a worker of this host lives.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check folders, database, broker, workers, clock, disk, GPU and versions; status 0 only if all are well."""
    settings = read_settings()
    found = [_examined(check, settings) for check in ((services.worker_here,) if worker else CHECKS)]
    if as_json:
        print_json(found)
    else:
        for one in found:
            typer.echo(f"{'ok' if one['ok'] else 'wrong':<8}{one['says']}")
    if not all(one["ok"] for one in found):
        raise typer.Exit(1)


def _examined(check: object, settings: Settings) -> dict[str, object]:
    assert callable(check)  # noqa: S101 - narrows the type
    name = getattr(check, "__name__", "")
    try:
        return {"check": name, "ok": True, "says": check(settings)}
    except EigenscopeError as error:
        return {"check": name, "ok": False, "says": str(error)}
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        says = f"the database does not answer: {reason}; check EIGENSCOPE_DATABASE_URL, or restore a backup"
        return {"check": name, "ok": False, "says": says}
    except Exception as error:
        # What a damaged database hands out is no row that the models allow, and the other checks are still wanted.
        says = (
            f"{name} could not be looked at ({type(error).__name__}: {error}); mend what else is wrong, and where "
            "nothing is, report this"
        )
        return {"check": name, "ok": False, "says": says}
