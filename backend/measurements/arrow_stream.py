"""Reads Arrow streams that may come from anybody: every batch is checked before a number of it is touched."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pyarrow as pa

from backend.errors import InvalidInput

UNREADABLE = (pa.ArrowException, OSError, struct.error, UnicodeDecodeError)
"""What reading bytes that are no Arrow stream, or a part of one, may raise."""


def open_stream(source: pa.NativeFile, columns: pa.Schema) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Return a stream's schema, which must have just these columns in any order, and its batches.

    After each batch, `source` stands behind it. Raises `InvalidInput` for other columns, and one of `UNREADABLE`, here
    or between batches, where the bytes are damaged or cut off.
    """
    reader = pa.ipc.MessageReader.open_stream(source)
    first = next(_messages(reader), None)
    if first is None:
        raise pa.ArrowInvalid("it is empty")
    # pyarrow crashes when it takes another message for a schema.
    if first.type != "schema":
        raise pa.ArrowInvalid("it does not begin with a schema")
    schema = pa.ipc.read_schema(first)
    try:
        _demand_columns(schema, columns)
    except UnicodeDecodeError:
        raise pa.ArrowInvalid("a name in its schema is not UTF-8") from None
    return schema, _batches(reader, schema)


def _demand_columns(found: pa.Schema, wanted: pa.Schema) -> None:
    for name in (*wanted.names, *found.names):
        if found.names.count(name) != 1 or name not in wanted.names:
            raise InvalidInput(
                f"the Arrow stream's columns are {', '.join(found.names)[:200]}; they must be "
                f"{', '.join(wanted.names)}"
            )
    for field in wanted:
        # Whether a column may hold nulls, and what its list's items are called, says nothing of its numbers.
        if _spelt(found.field(field.name).type) != _spelt(field.type):
            raise InvalidInput(
                f"the Arrow stream's column '{field.name}' is {found.field(field.name).type}; "
                f"it must be {field.type}"
            )


def _spelt(kind: pa.DataType) -> str:
    return f"list<{kind.value_type}>" if pa.types.is_list(kind) else str(kind)


def _messages(reader: pa.ipc.MessageReader) -> Iterator[pa.ipc.Message]:
    while True:
        try:
            yield reader.read_next_message()
        except StopIteration:
            return


def _batches(reader: pa.ipc.MessageReader, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for message in _messages(reader):
        if message.type != "record batch":
            raise InvalidInput(f"the Arrow stream holds a {message.type}; write plain columns")
        # A few compressed bytes can hold more zeros than there is memory.
        if _is_compressed(message.metadata.to_pybytes()):
            raise InvalidInput("the Arrow stream is compressed; write it without compression")
        batch = pa.ipc.read_record_batch(message, schema)
        batch.validate(full=True)
        yield batch


def _is_compressed(message: bytes) -> bool:
    """Whether a record batch's buffers are compressed, which pyarrow does not tell before it inflates them.

    The message is a flatbuffer of Arrow's Message.fbs: Message.header is field 2, RecordBatch.compression field 3.
    """
    (root,) = struct.unpack_from("<I", message)
    header = _field(message, root, 2)
    if header is None:
        return False
    (offset,) = struct.unpack_from("<I", message, header)
    return _field(message, header + offset, 3) is not None


def _field(message: bytes, table: int, number: int) -> int | None:
    """Return where a flatbuffer table's field lies; None where the field is absent."""
    (back,) = struct.unpack_from("<i", message, table)
    (size,) = struct.unpack_from("<H", message, table - back)
    if 4 + 2 * number >= size:
        return None
    (offset,) = struct.unpack_from("<H", message, table - back + 4 + 2 * number)
    return table + offset if offset else None
