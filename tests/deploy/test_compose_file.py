"""What docker-compose.yml promises, read from the file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from backend.settings import Settings

OURS = ("migrate", "backend", "worker", "worker-1", "worker-2", "worker-3")


class Loader(yaml.SafeLoader):
    """Reads Compose's `!reset` as the value it leaves."""


Loader.add_constructor("!reset", lambda loader, node: loader.construct_sequence(node))


def grace(service: dict[str, Any]) -> int:
    return int(re.fullmatch(r"(\d+)s", service["stop_grace_period"])[1])


def test_services_are_the_designed_ones(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", "redis", *OURS}


def test_ports_are_published_on_loopback_only(compose: dict[str, Any]) -> None:
    published = {
        name: service["ports"] for name, service in compose["services"].items() if "ports" in service
    }
    assert published == {"backend": ["127.0.0.1:8000:8000"]}


def test_images_carry_a_version(compose: dict[str, Any]) -> None:
    images = {name: service["image"] for name, service in compose["services"].items()}
    assert images["postgres"] == "postgres:16"
    assert images["redis"] == "redis:7"
    assert all(re.search(r":\d", image) for image in images.values())


def test_redis_drops_nothing_and_keeps_its_queue(compose: dict[str, Any]) -> None:
    command = compose["services"]["redis"]["command"]
    assert command[command.index("--maxmemory-policy") + 1] == "noeviction"
    assert command[command.index("--appendonly") + 1] == "yes"


def test_what_must_last_lies_on_named_volumes(compose: dict[str, Any]) -> None:
    mounted = {
        volume.split(":")[0]
        for service in compose["services"].values()
        for volume in service.get("volumes", [])
    }
    assert mounted - {"./data"} == set(compose["volumes"]) == {"pgdata", "redisdata", "home"}
    for name in OURS:
        assert compose["services"][name]["volumes"] == ["home:/var/lib/eigenscope", "./data:/data:ro"]


@pytest.mark.parametrize("name", ["postgres", "redis", "backend"])
def test_servers_are_checked_and_restarted(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"


def test_everything_waits_for_the_migration(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["migrate"]["restart"] == "no"
    for name in set(OURS) - {"migrate"}:
        conditions = {key: value["condition"] for key, value in services[name]["depends_on"].items()}
        assert conditions == {
            "postgres": "service_healthy",
            "redis": "service_healthy",
            "migrate": "service_completed_successfully",
        }


def test_a_worker_may_finish_its_checkpoint(compose: dict[str, Any]) -> None:
    for name in OURS[2:]:
        service = compose["services"][name]
        assert service["restart"] == "unless-stopped"
        assert grace(service) >= float(service["environment"]["EIGENSCOPE_STOP_GRACE_SECONDS"]) + 10


def test_each_worker_reserves_a_gpu_of_its_own(compose: dict[str, Any]) -> None:
    reserved = []
    for name in OURS[2:]:
        (device,) = compose["services"][name]["deploy"]["resources"]["reservations"]["devices"]
        assert device["driver"] == "nvidia"
        assert device["capabilities"] == ["gpu"]
        reserved += device["device_ids"]
    assert reserved == ["0", "1", "2", "3"]
    assert "profiles" not in compose["services"]["worker"], "one worker starts without being asked for"


def test_the_cpu_file_takes_the_reservation_away(root: Path) -> None:
    override = yaml.load((root / "docker-compose.cpu.yml").read_text(), Loader)  # noqa: S506 - a SafeLoader
    assert override == {"services": {"worker": {"deploy": {"resources": {"reservations": {"devices": []}}}}}}
    assert "devices: !reset" in (root / "docker-compose.cpu.yml").read_text()


def test_every_setting_named_exists(compose: dict[str, Any]) -> None:
    known = {f"EIGENSCOPE_{name.upper()}" for name in Settings.model_fields}
    for name in OURS:
        environment = compose["services"][name]["environment"]
        assert {key for key in environment if key.startswith("EIGENSCOPE_")} <= known
        assert all(isinstance(value, str) for value in environment.values())


def test_no_service_runs_as_root_or_may_gain_rights(compose: dict[str, Any]) -> None:
    # Our own images name their user in the Dockerfile (test_dockerfile.py).
    users = {name: service.get("user") for name, service in compose["services"].items()}
    assert users == {"postgres": "postgres", "redis": "redis", **dict.fromkeys(OURS)}
    for name, service in compose["services"].items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "pid", "ipc", "network_mode", "devices"} & set(service), name
        assert not [volume for volume in service.get("volumes", []) if "docker.sock" in volume], name


def test_roots_are_read_only_and_scratch_is_bounded(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"] is True, name
        mounts = dict(mount.split(":", 1) for mount in service["tmpfs"])
        assert "/tmp" in mounts, name  # noqa: S108 - inside the container
        assert all(re.search(r"\bsize=\d+[mg]\b", options) for options in mounts.values()), name
    assert "/run/postgresql:mode=1777,size=16m" in compose["services"]["postgres"]["tmpfs"], (
        "its socket lies there, and the health check asks through it"
    )


def test_what_a_worker_writes_lies_on_a_volume_or_in_scratch(compose: dict[str, Any]) -> None:
    for name in OURS[2:]:
        environment = compose["services"][name]["environment"]
        for folder in ("EIGENSCOPE_HOME", "TORCH_HOME", "HOME"):
            assert environment[folder].startswith(("/var/lib/eigenscope", "/tmp")), folder  # noqa: S108
