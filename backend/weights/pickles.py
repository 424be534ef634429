"""A pickle read without running it: opcodes build plain values and descriptions of tensors, and nothing else.

Python's own unpickler calls whatever the file names. Here no name is ever looked up: those that torch uses for
tensors are known by their text, and all else becomes `Unknown`, which can be carried about but not used.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from backend.weights.contents import TensorEntry

MARK = object()
STEPS = 4_000_000
"""Opcodes read at most; the checkpoint of a ResNet-101 detector with its optimiser takes about 60,000."""
RANK = 8
"""Dimensions that a tensor may have."""
STORAGES = {
    "torch DoubleStorage": "float64",
    "torch FloatStorage": "float32",
    "torch HalfStorage": "float16",
    "torch BFloat16Storage": "bfloat16",
    "torch LongStorage": "int64",
    "torch IntStorage": "int32",
    "torch ShortStorage": "int16",
    "torch CharStorage": "int8",
    "torch ByteStorage": "uint8",
    "torch BoolStorage": "bool",
}
"""torch's classes of storages, as the pickle names them, and the type of their elements."""
DICTIONARY, TENSOR, PARAMETER = (
    "collections OrderedDict",
    "torch._utils _rebuild_tensor_v2",
    "torch._utils _rebuild_parameter",
)


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something that the pickle names and that is no plain value: a class, a function, or what it would make."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """A piece of the file: its name there and the type of its elements."""

    name: str
    dtype: str


class Malformed(ValueError):
    """The bytes are no pickle that a value could be read from."""


def read(content: bytes) -> Any:
    """Return the value that a pickle describes, with `TensorEntry` for tensors and `Unknown` for foreign objects.

    Raises `Malformed` for whatever is no whole pickle.
    """
    machine = _Machine()
    try:
        for step, (opcode, argument, _) in enumerate(pickletools.genops(content)):
            if step >= STEPS:
                raise Malformed(f"it has more than {STEPS:,} steps")
            if opcode.name == "STOP":
                return machine.pop()
            machine.step(opcode.name, argument)
    except Malformed:
        raise
    except (ValueError, OverflowError, IndexError, MemoryError, Warning) as error:
        # A warning only where warnings are errors: pickletools reads an odd escape in a text with one.
        raise Malformed(str(error) or type(error).__name__) from None
    raise Malformed("it has no end")


class _Machine:
    """The stack and the memory of an unpickler; every step is one of `_STEPS`."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memory: dict[int, Any] = {}

    def step(self, name: str, argument: Any) -> None:
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name])
        elif name in _LITERALS:
            self.stack.append(argument)
        elif name in _STEPS:
            _STEPS[name](self, argument)
        elif name not in ("PROTO", "FRAME"):
            raise Malformed(f"it uses {name}, which no state dict needs")

    def pop(self) -> Any:
        if not self.stack or self.stack[-1] is MARK:
            raise Malformed("it takes more than it puts")
        return self.stack.pop()

    def pop_to_mark(self) -> list[Any]:
        """Take all that was put since the last mark."""
        values: list[Any] = []
        while self.stack:
            if (value := self.stack.pop()) is MARK:
                return values[::-1]
            values.append(value)
        raise Malformed("it takes more than it puts")

    def get(self, number: int) -> None:
        if number not in self.memory:
            raise Malformed("it remembers what it never saw")
        self.stack.append(self.memory[number])

    def put(self, number: int) -> None:
        value = self.pop()
        self.memory[number] = value
        self.stack.append(value)

    def tuple_of(self, count: int) -> None:
        self.stack.append(tuple([self.pop() for _ in range(count)][::-1]))

    def set_items(self, pairs: list[Any]) -> None:
        target = self.pop()
        if isinstance(target, dict):
            # A tuple as a key could take for ever to hash; no state dict has one.
            keys, values = pairs[::2], pairs[1::2]
            target.update((k, v) for k, v in zip(keys, values, strict=True) if isinstance(k, str | int))
        self.stack.append(target)

    def extend(self, values: list[Any]) -> None:
        target = self.pop()
        if isinstance(target, list):
            target.extend(values)
        self.stack.append(target)

    def name_from_stack(self) -> None:
        name, module = self.pop(), self.pop()
        if not isinstance(name, str) or not isinstance(module, str):
            raise Malformed("it names something by what is no text")
        self.stack.append(Unknown(f"{module} {name}"))

    def call(self) -> None:
        arguments, function = self.pop(), self.pop()
        self.stack.append(_made(function, arguments))

    def make(self) -> None:
        """Take a class and its arguments, and put an object that nothing is known of."""
        self.pop()
        self.stack.append(_unknown(self.pop()))

    def storage(self) -> None:
        self.stack.append(_storage(self.pop()))

    def state(self) -> None:
        """Give an object its attributes; nothing that is read here has any."""
        self.pop()
        self.stack.append(self.pop())


def _unknown(maker: Any) -> Unknown:
    return Unknown(maker.name if isinstance(maker, Unknown) else "an object")


def _made(function: Any, arguments: Any) -> Any:
    """Return what torch's functions would make of their arguments."""
    name = function.name if isinstance(function, Unknown) else ""
    if name == DICTIONARY and arguments == ():
        return {}
    if name == TENSOR and isinstance(arguments, tuple) and len(arguments) >= 4:
        return _tensor(*arguments[:4])
    if name == PARAMETER and isinstance(arguments, tuple) and arguments:
        return arguments[0]
    return _unknown(function)


def _storage(reference: Any) -> Any:
    """Return the storage that torch's reference `("storage", class, name, place, elements)` stands for."""
    if not isinstance(reference, tuple) or len(reference) < 3 or not isinstance(reference[2], str):
        return Unknown("a reference")
    kind = reference[1].name if isinstance(reference[1], Unknown) else ""
    return Storage(reference[2], STORAGES[kind]) if kind in STORAGES else Unknown(kind or "a reference")


def _tensor(storage: Any, offset: Any, shape: Any, strides: Any) -> TensorEntry | Unknown:
    counts = (
        (offset, *shape, *strides) if isinstance(shape, tuple) and isinstance(strides, tuple) else (None,)
    )
    whole = all(type(count) is int and 0 <= count < 2**63 for count in counts)
    if not isinstance(storage, Storage) or not whole or not len(shape) == len(strides) <= RANK:
        return Unknown(storage.name if isinstance(storage, Unknown) else "a tensor of an odd kind")
    return TensorEntry(shape, storage.dtype, storage.name, offset, strides)


_CONSTANTS: dict[str, Any] = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
    "MARK": MARK,
}
_LITERALS = frozenset(
    (
        "INT",
        "BININT",
        "BININT1",
        "BININT2",
        "LONG",
        "LONG1",
        "LONG4",
        "FLOAT",
        "BINFLOAT",
        "STRING",
        "BINSTRING",
        "SHORT_BINSTRING",
        "UNICODE",
        "BINUNICODE",
        "SHORT_BINUNICODE",
        "BINBYTES",
        "SHORT_BINBYTES",
    )
)
"""Opcodes whose argument is the value itself."""
_Step = Callable[[_Machine, Any], Any]
_STEPS: dict[str, _Step] = {
    "POP": lambda m, _: m.stack.pop(),
    "POP_MARK": lambda m, _: m.pop_to_mark(),
    "EMPTY_DICT": lambda m, _: m.stack.append({}),
    "EMPTY_LIST": lambda m, _: m.stack.append([]),
    "LIST": lambda m, _: m.stack.append(m.pop_to_mark()),
    "TUPLE": lambda m, _: m.stack.append(tuple(m.pop_to_mark())),
    "TUPLE1": lambda m, _: m.tuple_of(1),
    "TUPLE2": lambda m, _: m.tuple_of(2),
    "TUPLE3": lambda m, _: m.tuple_of(3),
    "SETITEM": lambda m, _: m.set_items([m.pop(), m.pop()][::-1]),
    "SETITEMS": lambda m, _: m.set_items(m.pop_to_mark()),
    "APPEND": lambda m, _: m.extend([m.pop()]),
    "APPENDS": lambda m, _: m.extend(m.pop_to_mark()),
    "GET": lambda m, number: m.get(number),
    "BINGET": lambda m, number: m.get(number),
    "LONG_BINGET": lambda m, number: m.get(number),
    "PUT": lambda m, number: m.put(number),
    "BINPUT": lambda m, number: m.put(number),
    "LONG_BINPUT": lambda m, number: m.put(number),
    "MEMOIZE": lambda m, _: m.put(len(m.memory)),
    "GLOBAL": lambda m, name: m.stack.append(Unknown(name)),
    "STACK_GLOBAL": lambda m, _: m.name_from_stack(),
    "REDUCE": lambda m, _: m.call(),
    "NEWOBJ": lambda m, _: m.make(),
    "BINPERSID": lambda m, _: m.storage(),
    "BUILD": lambda m, _: m.state(),
}
