"""What a training takes of its GPU: memory as torch and the driver tell it, utilisation as nvidia-smi does."""

from __future__ import annotations

import logging
import shutil
import subprocess
import threading

import torch

from worker.training.pace import Due

_log = logging.getLogger(__name__)

SECONDS_BETWEEN_FIGURES = 10.0
PATIENCE_SECONDS = 10.0


class GpuWatch:
    """Figures of one card, some seconds apart. nvidia-smi is asked in a thread: training never waits for it."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._due = Due(SECONDS_BETWEEN_FIGURES)
        self._command = shutil.which("nvidia-smi")
        self._card = str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))
        self._utilisation: float | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="gpu-watch", daemon=True)

    def start(self) -> None:
        """Begin to ask for the utilisation, or say once why it is not recorded."""
        if self._command is None or not self._card:
            _log.info("the GPU's utilisation is not recorded: nvidia-smi is not to be found here")
            return
        self._thread.start()

    def stop(self) -> None:
        """Ask no more."""
        self._stopping.set()

    def figures(self) -> dict[str, float]:
        """Return metrics by name where it is time for them, else none.

        `gpu_memory` is what torch holds for this process and `gpu_memory_used` what all processes take of the card, in
        bytes; `gpu_utilisation` is the share of the last second or so in which the card computed.
        """
        if not self._due():
            return {}
        free, total = torch.cuda.mem_get_info(self._device)
        found = {
            "gpu_memory": float(torch.cuda.memory_reserved(self._device)),
            "gpu_memory_used": float(total - free),
        }
        return found if self._utilisation is None else found | {"gpu_utilisation": self._utilisation}

    def _watch(self) -> None:
        while not self._stopping.is_set():
            try:
                self._utilisation = utilisation(self._command or "", self._card)
            except (OSError, subprocess.SubprocessError, ValueError) as error:
                # A slice of a card (MIG) has no utilisation of its own; it will have none later either.
                _log.info("the GPU's utilisation is not recorded: nvidia-smi does not tell it (%s)", error)
                self._utilisation = None
                return
            self._stopping.wait(SECONDS_BETWEEN_FIGURES)


def utilisation(command: str, card: str) -> float:
    """Return the share of the time in which a card, named by its UUID, computed; raise where that is not told."""
    identity = card if card.startswith(("GPU-", "MIG-")) else f"GPU-{card}"
    query = [command, f"--id={identity}", "--query-gpu=utilization.gpu", "--format=csv,noheader,nounits"]
    answer = subprocess.run(  # noqa: S603
        query, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=True
    )
    return float(answer.stdout.strip()) / 100.0
