"""GPU, its driver, and packages that must fit each other."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib import metadata, util
from pathlib import Path

from packaging.requirements import Requirement

from backend.errors import Conflict, Unavailable
from backend.settings import Settings

OLDEST_DRIVERS = {11: 450, 12: 525, 13: 580}
"""By CUDA's major version, within which drivers serve every minor one (NVIDIA's CUDA compatibility guide)."""
QUERY = ("--query-gpu=name,driver_version,memory.total", "--format=csv,noheader,nounits")
EXTRAS = {"eigenscope": ("worker", "images"), "plotly": ("kaleido",)}
"""What a package asks of another only where that is there."""
SHOWN = ("torch", "torchvision", "plotly", "kaleido")


def gpu(_settings: Settings) -> str:
    """The GPUs that are there can be trained on: the driver answers, and is new enough for torch's CUDA."""
    command = shutil.which("nvidia-smi")
    if command is None:
        return "no nvidia-smi, so no NVIDIA GPU here: training runs on the CPU"
    rows = [
        [part.strip() for part in line.split(",")] for line in _asked(command).splitlines() if line.strip()
    ]
    if not rows:
        raise Unavailable(
            "nvidia-smi finds no GPU; see that the card is seated and passed into the container"
        )
    _demand_fit(rows[0][1])
    names = ", ".join(f"{name} ({int(memory) / 1024:.0f} GiB)" for name, _, memory in rows)
    return f"GPU {names}; driver {rows[0][1]}, {_shown_torch()}"


def _asked(command: str) -> str:
    try:
        done = subprocess.run([command, *QUERY], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(
            f"nvidia-smi is there but does not answer ({error}); reload the NVIDIA driver or start the machine anew"
        ) from None
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[0]
        raise Unavailable(
            f"nvidia-smi fails ({words}); install the NVIDIA driver anew, or start the machine anew after its update"
        )
    return done.stdout


def _demand_fit(driver: str) -> None:
    """Raise where torch cannot use the driver."""
    if not util.find_spec("torch"):
        return
    cuda = torch_cuda()
    if cuda is None:
        raise Conflict(
            f"there is a GPU, but torch {metadata.version('torch')} is built without CUDA and trains on the CPU; "
            "install torch's CUDA build"
        )
    major = int(cuda.split(".")[0])
    oldest = OLDEST_DRIVERS.get(major)
    if oldest is not None and int(driver.split(".")[0]) < oldest:
        raise Conflict(
            f"the NVIDIA driver {driver} is too old for torch {metadata.version('torch')}, which is built for CUDA "
            f"{cuda}; install driver {oldest} or newer, or a torch for an older CUDA"
        )


def _shown_torch() -> str:
    if not util.find_spec("torch"):
        return "torch is not installed here"
    return f"torch for CUDA {torch_cuda()}"


def torch_cuda() -> str | None:
    """Return the CUDA that torch is built for, read from its files: importing it would take seconds."""
    spec = util.find_spec("torch")
    if spec is None or spec.origin is None:
        return None
    file = Path(spec.origin).parent / "version.py"
    found = re.search(r"^cuda\s*(?::[^=]*)?=\s*'([0-9.]+)'", file.read_text(), re.MULTILINE)
    return found[1] if found else None


def versions(_settings: Settings) -> str:
    """What is installed is what this program, and each of torch's and plotly's companions, asks for."""
    problems = [*_unmet("eigenscope"), *(problem for name in SHOWN for problem in _unmet(name))]
    if problems:
        raise Conflict(
            f"{'; '.join(problems)}; install the versions of requirements/ (`make setup`), or mend them with pip"
        )
    there = [f"{name} {_version(name)}" for name in ("eigenscope", *SHOWN) if _version(name)]
    return f"versions: {', '.join(there)}"


def _unmet(package: str) -> list[str]:
    """Return which of a package's requirements are installed in another version, or lacking where it needs them."""
    if _version(package) is None:
        return []
    problems = []
    for text in metadata.requires(package) or ():
        wanted = Requirement(text)
        needed = wanted.marker is None or wanted.marker.evaluate({"extra": ""})
        if not needed and not any(
            wanted.marker is not None and wanted.marker.evaluate({"extra": extra})
            for extra in EXTRAS.get(package, ())
        ):
            continue
        found = _version(wanted.name)
        if found is None and needed:
            problems.append(f"{package} needs {wanted.name}, which is not installed")
        elif found is not None and not wanted.specifier.contains(found, prereleases=True):
            problems.append(f"{package} needs {wanted.name} {wanted.specifier}, and {found} is installed")
    return problems


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
