"""Messages as bytes, and their way to the system."""

from __future__ import annotations

from typing import Any, Iterator, Optional

import msgpack

from .errors import MessageTooLarge

# The service has checked the size of what it passes on, against a limit that is its own to set; so this only bounds
# what a broken service could do.
MESSAGE_SIZE_MAX = 1 << 30

# At most so much is handed to the system at a time, so that what is behind it is known not to have left.
CHUNK = 1 << 16


# How long a request, a response and a notification are.
LENGTHS: dict[int, tuple[int, ...]] = {0: (4, 5), 1: (4,), 2: (3,)}


class Broken(Exception):
    """What came is no message, so nobody knows where the next one begins."""


class Closed(Exception):
    """The other end has closed, or the connection broke."""


class Limits:
    """What the service takes, once it has said so in the answer to the hello."""

    def __init__(self, said: Any = None) -> None:
        said = said if isinstance(said, dict) else {}
        size, depth = said.get("message_size_max"), said.get("depth_max")
        self.size: Optional[int] = size if isinstance(size, int) else None
        self.depth: Optional[int] = depth if isinstance(depth, int) else None

    # The service would close the connection on what is beyond them, and all that is open would be lost with it.

    def check_size(self, what: str, size: int) -> None:
        """The whole message, as it is sent."""
        if self.size is not None and size > self.size:
            length = f"{size} bytes long and the service takes {self.size}"
            raise MessageTooLarge(f"{what} is {length}; it was not sent.")

    def check_depth(self, what: str, inside: Any) -> None:
        """An element of the message, which is a level itself."""
        if self.depth is not None and _is_deeper(inside, self.depth - 1):
            levels = f"more than the {self.depth} levels that the service takes"
            raise MessageTooLarge(f"{what} has {levels}; it was not sent.")


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether there are more arrays and maps in one another than that."""
    layer = [value] if _is_container(value) else []
    for _ in range(levels):
        if not layer:
            return False
        inner = [item for outer in layer for item in _items(outer) if _is_container(item)]
        # What is in there many times is looked at once, and what contains itself is not looked at for ever.
        layer = list({id(item): item for item in inner}.values())
    return bool(layer)


def _is_container(value: Any) -> bool:
    return isinstance(value, (dict, list, tuple)) and not isinstance(value, msgpack.ExtType)


def _items(container: Any) -> Iterator[Any]:
    if isinstance(container, dict):
        yield from container
        yield from container.values()
    else:
        yield from container


def pack(value: Any) -> bytes:
    """MessagePack; a text that was no UTF-8 becomes the bytes again that it was."""
    packed: bytes = msgpack.packb(value, use_bin_type=True, unicode_errors="surrogateescape")
    return packed


def request(msgid: int, method: str, params: bytes, meta: dict[str, Any]) -> bytes:
    """A request around parameters that are packed already: they are the same bytes whenever it is sent again."""
    head = b"\x95\x00" if meta else b"\x94\x00"
    return head + pack(msgid) + pack(method) + params + (pack(meta) if meta else b"")


class Incoming:
    """Takes bytes and gives messages, those of one connection."""

    def __init__(self) -> None:
        # A text that is not UTF-8 comes through as it is, and can be had back with the same error handler.
        self._unpacker = msgpack.Unpacker(
            raw=False,
            unicode_errors="surrogateescape",
            strict_map_key=False,
            max_buffer_size=MESSAGE_SIZE_MAX,
        )

    def messages(self, data: bytes) -> Iterator[list[Any]]:
        """Those that are whole now. ``Broken`` at the first that is none."""
        try:
            self._unpacker.feed(data)
            for message in self._unpacker:
                if not isinstance(message, list) or len(message) not in LENGTHS.get(message[0], ()):
                    raise Broken("it is neither a request nor a response nor a notification")
                if message[0] != 2 and not isinstance(message[1], int):
                    raise Broken("its number is none")
                yield message
        except (ValueError, TypeError, LookupError, msgpack.UnpackException) as error:
            raise Broken(str(error)) from error


class Outgoing:
    """The bytes that are to go out by one connection, and how many of them were given to the system: what was not
    cannot have arrived."""

    def __init__(self) -> None:
        self._waiting = bytearray()
        self._said = 0
        self.given = 0

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def say(self, data: bytes) -> int:
        """Puts a message behind the others; where it ends, among all bytes of the connection."""
        self._waiting += data
        self._said += len(data)
        return self._said

    def chunk(self) -> bytes:
        """What is to be given to the system next."""
        return bytes(self._waiting[:CHUNK])

    def gave(self, count: int) -> None:
        """The system has taken so many."""
        del self._waiting[:count]
        self.given += count
