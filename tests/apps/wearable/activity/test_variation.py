"""Copies that another person might have given: the body's physics holds in them."""

from __future__ import annotations

import torch

from pintsize.apps.wearable.activity.variation import Variation, places, varied

STILL = Variation(turn=0.0, mirror=0.0, vigour=0.0, noise=0.0, warp=0.0)


def drawn(seed: int = 0) -> torch.Tensor:
    return torch.randn(4, 6, 50, generator=torch.Generator().manual_seed(seed))


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(1)


def test_without_variation_nothing_changes() -> None:
    x = drawn()
    torch.testing.assert_close(varied(x, STILL, generator()), x)


def test_turning_the_device_keeps_every_length() -> None:
    x = drawn()
    turned = varied(x, Variation(turn=0.5, mirror=0.5, vigour=0.0, noise=0.0), generator())
    assert not torch.allclose(turned, x)
    for part in (slice(0, 3), slice(3, 6)):
        torch.testing.assert_close(turned[:, part].norm(dim=1), x[:, part].norm(dim=1))


def test_a_mirror_turns_turning_the_other_way() -> None:
    """What is mirrored in x keeps its turning about x, and turns the other way about y and z."""
    x = drawn()
    mirrored = varied(x, Variation(turn=0.0, mirror=1.0, vigour=0.0, noise=0.0), generator())
    signs = torch.tensor([-1.0, 1, 1, 1, -1, -1])[None, :, None]
    torch.testing.assert_close(mirrored, x * signs)


def test_a_faster_pace_goes_farther() -> None:
    ends = {int(places(100, Variation(warp=0.2), torch.Generator().manual_seed(s))[-1]) for s in range(8)}
    assert min(ends) >= 79
    assert max(ends) <= 119
    assert len(ends) > 3
    assert places(100, STILL, generator()).tolist() == list(range(100))
