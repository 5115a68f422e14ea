"""Recordings: kept only when asked for, and then encrypted, block by block as they come.

The file: a magic line and 16 bytes of salt, then chunks of length (4 bytes, little endian) and ciphertext. The key of
one file is derived from the key file and the salt (HKDF-SHA256). Each chunk is sealed by ChaCha20-Poly1305 with its
number and whether it is the last as the nonce, so none can be changed, left out, moved or cut off unnoticed.
Source: RFC 8439, RFC 5869; Hoang et al., "Online authenticated encryption and its nonce-reuse misuse-resistance", 2015,
for the construction STREAM.
"""

from __future__ import annotations

import io
import json
import os
import stat
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from pintsize.errors import DataError, MissingExtra, OutputError, SinkError, SourceLost, UserError
from pintsize.stream.block import Block
from pintsize.stream.source import Source
from pintsize.stream.sources.described import Described, Description, numbered

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

MAGIC = b"pintsize recording 1\n"
KEY_BYTES = SALT_BYTES = 32
_LENGTH = struct.Struct("<I")
_LONGEST_CHUNK = 64 << 20


def make_key(path: Path) -> None:
    """A new key, readable by its owner alone. Raises OutputError where there is a file already."""
    try:
        with open(path, "x", encoding="ascii", opener=_private) as stream:
            stream.write(os.urandom(KEY_BYTES).hex() + "\n")
    except OSError as error:
        raise OutputError(f"the key file {path} cannot be made: {error.strerror}") from error


def read_key(path: Path) -> bytes:
    """The key. Raises UserError for a file that others can read, or that is no key."""
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise UserError(f"the key file {path} cannot be read: {error.strerror}") from error
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        raise UserError(f"the key file {path} can be read by others. Run: chmod 600 {path}")
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise UserError(
            f"{path} is no key file: {2 * KEY_BYTES} hexadecimal digits, as `make_key` writes them"
        )
    return key


class Recorder:
    """Writes a source's blocks into a new file; each is on disk, encrypted, before anything else is done with it.

    Raises OutputError when the file is there already or cannot be made, MissingExtra without cryptography.
    """

    def __init__(self, path: Path, key: bytes, source: Source) -> None:
        self.path = path
        salt = os.urandom(SALT_BYTES)
        self._seal = _cipher(key, salt)
        self._count = 0
        try:
            self._file: IO[bytes] | None = open(path, "xb", buffering=0, opener=_private)  # noqa: SIM115
        except OSError as error:
            raise OutputError(f"the recording {path} cannot be made: {error.strerror}") from error
        self._whole = 0
        self._write(MAGIC + salt)
        self._chunk(_header(source))

    def add(self, block: Block) -> None:
        """Raises SinkError when it cannot be written; what was written before stays whole."""
        self._chunk(_packed(block))

    def close(self) -> None:
        """Marks the end, so that a recording that was cut off is known as one. A second call does nothing."""
        if self._file is None:
            return
        self._chunk(b"", last=True)
        file, self._file = self._file, None
        with file:
            os.fsync(file.fileno())

    def _chunk(self, plain: bytes, last: bool = False) -> None:
        sealed = self._seal.encrypt(_nonce(self._count, last), plain, None)
        self._write(_LENGTH.pack(len(sealed)) + sealed)
        self._count += 1

    def _write(self, content: bytes) -> None:
        """All of it or nothing. After a failure nothing more: another chunk would have the nonce of the failed one."""
        if self._file is None:
            raise SinkError(f"the recording {self.path} is closed, or could not be written before")
        try:
            rest = content
            while rest:
                rest = rest[self._file.write(rest) :]
        except OSError as error:
            file, self._file = self._file, None
            with suppress(OSError), file:
                file.truncate(self._whole)
            raise SinkError(f"the recording {self.path} cannot be written: {error.strerror}") from error
        self._whole += len(content)


class Recording(Described):
    """A recording as a source: the same blocks, with the same times, as were recorded.

    Raises DataError for a file that is no recording, or whose key this is not. While it is read: SourceLost, after all
    that is whole, where it was cut off, or changed.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        try:
            self._file = open(path, "rb")  # noqa: SIM115
        except OSError as error:
            raise DataError(f"the recording {path} cannot be read: {error.strerror}") from error
        try:
            super().__init__(self._begin(key))
        except (DataError, MissingExtra):
            self._file.close()
            raise

    def blocks(self) -> Iterator[Block]:
        while True:
            plain, last = self._next()
            if last:
                return
            yield _unpacked(plain)

    def close(self) -> None:
        self._file.close()

    def _begin(self, key: bytes) -> Description:
        begin = self._file.read(len(MAGIC) + SALT_BYTES)
        if len(begin) < len(MAGIC) + SALT_BYTES or not begin.startswith(MAGIC):
            raise DataError(f"{self._path} is no recording of pintsize")
        self._open = _cipher(key, begin[len(MAGIC) :])
        self._count = 0
        try:
            header, _ = self._next()
        except SourceLost as error:
            told = f"{self._path} cannot be decrypted: it was made with another key, or changed"
            raise DataError(told) from error
        return _description(header)

    def _next(self) -> tuple[bytes, bool]:
        """The next chunk, and whether it is the last."""
        from cryptography.exceptions import InvalidTag

        prefix = self._file.read(_LENGTH.size)
        length = _LENGTH.unpack(prefix)[0] if len(prefix) == _LENGTH.size else 0
        sealed = self._file.read(length) if length <= _LONGEST_CHUNK else b""
        number, self._count = self._count, self._count + 1
        if not length or len(sealed) < length:
            raise SourceLost(f"{self._path}: the recording was cut off after {max(0, number - 1)} blocks")
        for last in (False, True):
            try:
                return self._open.decrypt(_nonce(number, last), sealed, None), last
            except InvalidTag:
                continue
        raise SourceLost(f"{self._path}: the recording was changed after {max(0, number - 1)} blocks")


def _cipher(key: bytes, salt: bytes) -> ChaCha20Poly1305:
    try:
        from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF
    except ModuleNotFoundError as error:
        raise MissingExtra("cryptography", "recording") from error
    own = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=MAGIC).derive(key)
    return ChaCha20Poly1305(own)


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _header(source: Source) -> bytes:
    told = {
        "name": source.name, "rate_hz": source.rate_hz, "channels": source.channels,
        "full_scale": source.full_scale, "saturates_at": source.saturates_at, "lossless": source.lossless,
    }  # fmt: skip
    return json.dumps(told).encode()


def _description(header: bytes) -> Description:
    told = json.loads(header)
    limits = told["saturates_at"]
    return Description(
        told["name"], told["rate_hz"], numbered(told["channels"]), told["full_scale"],
        tuple(limits) if limits else None, told["lossless"],
    )  # fmt: skip


def _packed(block: Block) -> bytes:
    told = {
        "start_s": block.start_s, "rate_hz": block.rate_hz, "gap_before_s": block.gap_before_s, "index": block.index,
        "origin": block.origin,
    }  # fmt: skip
    stream = io.BytesIO()
    stream.write(json.dumps(told).encode() + b"\n")
    np.save(stream, block.samples, allow_pickle=False)
    return stream.getvalue()


def _unpacked(plain: bytes) -> Block:
    stream = io.BytesIO(plain)
    told: dict[str, Any] = json.loads(stream.readline())
    return Block(np.load(stream, allow_pickle=False), **told)
