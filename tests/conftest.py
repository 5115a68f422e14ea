"""What all tests share: reproducible hypothesis runs, one thread, since everything here is small, and a real broker."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from tests.stream.sinks.broker import RunningBroker

QUIET = (HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture)
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=QUIET)
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=QUIET)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
torch.set_num_threads(1)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[RunningBroker]:
    """Debian's mosquitto, running on this machine."""
    pytest.importorskip("paho.mqtt.client", reason="paho-mqtt is not installed (extra mqtt)")
    from tests.stream.sinks.broker import RunningBroker, mosquitto

    if mosquitto() is None:
        pytest.skip("mosquitto is not installed (apt install mosquitto)")
    with RunningBroker(tmp_path) as running:
        yield running
