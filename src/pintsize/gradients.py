"""What rounding does to gradients: they pass straight through it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pintsize.arithmetic import Grid

#: (accumulators, accumulators times factor, multiplier, exponent) → steps on the grid, unclamped
Rounding = Callable[[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]


class StraightThrough(torch.autograd.Function):
    """Forward: the first argument. Backward: the gradient of the second."""

    @staticmethod
    def forward(ctx: Any, exact: torch.Tensor, smooth: torch.Tensor) -> torch.Tensor:
        return exact.view_as(exact)

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor]:
        return None, gradients[0]


class Requantize(torch.autograd.Function):
    """Forward: the exact codes. Backward: as if they were clamp(acc · factor + zero_point)."""

    @staticmethod
    def forward(
        ctx: Any,
        acc: torch.Tensor,
        factor: torch.Tensor,
        multiplier: torch.Tensor,
        exponent: torch.Tensor,
        out: Grid,
        rounding: Rounding,
    ) -> torch.Tensor:
        steps = acc * factor
        if any(ctx.needs_input_grad):
            ctx.save_for_backward(acc, factor, steps)
            ctx.bounds = out.low - out.zero_point, out.high - out.zero_point
        codes = rounding(acc, steps, multiplier, exponent)
        return codes.clamp_(out.low - out.zero_point, out.high - out.zero_point).add_(out.zero_point)

    @staticmethod
    def backward(
        ctx: Any, *gradients: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor | None, None, None, None, None]:
        acc, factor, steps = ctx.saved_tensors
        inside = torch.ops.aten.hardtanh_backward(gradients[0].contiguous(), steps, *ctx.bounds)
        of_factor: torch.Tensor | None = None
        if ctx.needs_input_grad[1]:
            of_factor = (inside * acc).reshape(-1, factor.numel()).sum(0).reshape(factor.shape)
        return inside * factor, of_factor, None, None, None, None
