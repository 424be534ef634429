"""The launch form, made from the JSON schema of a run specification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from frontend.map_kinds import ABOUT

TITLES = {
    "": "Run",
    "model": "Model",
    "training": "Training",
    "probe": "Probe",
    "resources": "Resources",
}
OWN_CONTROLS = ("dataset_id", "init")
"""Fields that the page draws itself: they are chosen from what exists."""
OPTIONS_ABOUT = {"probe.maps": ABOUT}
"""What the options of a field mean."""
HINTS = {
    "probe.maps": "Positions of `box_head` and `mask_head` maps are the proposals', of the others the image's."
}
"""What the form says beyond the schema."""
LEFT_OPEN = {"training.warmup": "100, or a tenth of a short training"}
"""Fields whose default follows other fields, in words: the form leaves them empty."""
EMPTY = {
    "name": "made of dataset, model and weights",
    "model.widths": "standard, or layer4=1024, fpn=128",
    "training.milestones": "never, or 800, 1100",
    "training.clip_norm": "not clipped",
    "training.image_size_min": "no jitter",
    "probe.layers": "all",
    "probe.batch_size": "as many as fit",
    "resources.gpus": "one where there is one",
    **LEFT_OPEN,
}
"""What an empty field means."""
LABELS = {
    "lr": "learning rate",
    "amp": "mixed precision",
    "warmup": "warm-up",
    "image_size_min": "smallest image size",
    "checkpoint_keep": "keep checkpoints",
    "gpus": "GPUs",
    "tf32": "TF32",
}


@dataclass(frozen=True)
class FormField:
    """One control. `kind` is text, integer, number, boolean, choice, choices, list or map."""

    path: str
    label: str
    kind: str
    description: str
    default: str
    value: Any
    options: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    item: str = "text"
    """Of a list or map: text, integer or number."""
    nullable: bool = False

    @property
    def text(self) -> str:
        """The value as it stands in an input."""
        return as_text(self.value)

    @property
    def placeholder(self) -> str:
        """What an empty input shows."""
        return EMPTY.get(self.path) or ("separated by commas" if self.kind == "list" else self.default)

    @property
    def default_words(self) -> str:
        """The default as the form says it; empty where an empty field says it, or all is ticked."""
        if self.kind == "choices":
            return ""
        return LEFT_OPEN.get(self.path) or {"true": "on", "false": "off"}.get(self.default, self.default)

    @property
    def range_words(self) -> str:
        """The values that a number may have, where the schema bounds them on both sides."""
        if self.minimum is None or self.maximum is None:
            return ""
        return f"{as_text(float(self.minimum))} … {as_text(float(self.maximum))}"

    def about(self, option: str) -> str:
        """What an option means; empty where its name says it."""
        return OPTIONS_ABOUT.get(self.path, {}).get(option, "")

    @property
    def changed(self) -> bool:
        """Whether the value is not the default."""
        return self.text != self.default

    @property
    def long(self) -> bool:
        """Whether the control needs a whole row."""
        return self.kind in ("choices", "map") or self.path in ("name", "probe.layers")


@dataclass(frozen=True)
class FormGroup:
    """The fields of one part."""

    name: str
    title: str
    description: str
    fields: tuple[FormField, ...]


def as_text(value: Any) -> str:
    """Return a value as a person would type it: lists by commas, maps as `key=value`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={inner}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(str(inner) for inner in value)
    if isinstance(value, float):
        # As short as it can be read back without loss: a copied run must have the very same rate.
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return str(value)


def form_groups(schema: Mapping[str, Any], values: Mapping[str, Any]) -> list[FormGroup]:
    """Return the form's groups, the specification's own fields first; `values` may be partial."""
    own: list[FormField] = []
    groups: list[FormGroup] = []
    for name, node in schema["properties"].items():
        if name in OWN_CONTROLS:
            continue
        part = _resolved(schema, node)
        if "properties" not in part:
            own.append(_field(schema, name, node, values.get(name, node.get("default"))))
            continue
        given = values.get(name) or {}
        fields = tuple(
            _field(schema, f"{name}.{inner}", child, given.get(inner, _default(f"{name}.{inner}", child)))
            for inner, child in part["properties"].items()
        )
        groups.append(
            FormGroup(name, TITLES.get(name, name.capitalize()), part.get("description", ""), fields)
        )
    return [FormGroup("", TITLES[""], "", tuple(own)), *groups]


def _default(path: str, node: Mapping[str, Any]) -> Any:
    return None if path in LEFT_OPEN else node.get("default")


def _field(schema: Mapping[str, Any], path: str, node: Mapping[str, Any], value: Any) -> FormField:
    branches = [_resolved(schema, branch) for branch in node.get("anyOf", [node])]
    nullable = any(branch.get("type") == "null" for branch in branches)
    core = next(branch for branch in branches if branch.get("type") != "null")
    kind, options, item = _kind(schema, core)
    name = path.rpartition(".")[2]
    return FormField(
        path=path,
        label=LABELS.get(name, name.replace("_", " ")),
        kind=kind,
        description=f"{node.get('description', '')} {HINTS.get(path, '')}".rstrip(),
        default=as_text(node.get("default")),
        value=value,
        options=options,
        minimum=core.get("minimum", core.get("exclusiveMinimum")),
        maximum=core.get("maximum", core.get("exclusiveMaximum")),
        item=item,
        nullable=nullable,
    )


def _kind(schema: Mapping[str, Any], node: Mapping[str, Any]) -> tuple[str, tuple[Any, ...], str]:
    if "enum" in node:
        return "choice", tuple(node["enum"]), "integer" if node.get("type") == "integer" else "text"
    match node.get("type"):
        case "array":
            items = _resolved(schema, node.get("items", {}))
            if "enum" in items:
                return "choices", tuple(items["enum"]), "text"
            return "list", (), _scalar(items)
        case "object":
            return "map", (), _scalar(_resolved(schema, node.get("additionalProperties", {})))
        case "boolean":
            return "boolean", (), "text"
    return _scalar(node), (), "text"


def _scalar(node: Mapping[str, Any]) -> str:
    return {"integer": "integer", "number": "number"}.get(node.get("type", ""), "text")


def _resolved(schema: Mapping[str, Any], node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Mapping[str, Any] = schema["$defs"][reference.rpartition("/")[2]]
    return found
