"""Two things at once. Training runs on one thread each, so that results do not depend on how many cores there are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")

AT_ONCE = 2


class Stopped(Exception):
    """Work in another thread was told to stop."""


def together(function: Callable[[Item], Result], items: Sequence[Item], stop: Event) -> list[Result]:
    """function(item) for all items, two at a time, results in their order.

    When one fails or the user interrupts, `stop` is set, so that the others end soon, and the error goes on.
    """
    with ThreadPoolExecutor(AT_ONCE) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            return [future.result() for future in futures]
        except BaseException:
            stop.set()
            for future in futures:
                future.cancel()
            raise


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Torch on one thread per operation; afterwards as it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
