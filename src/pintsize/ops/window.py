"""Geometry of sliding windows, shared by convolutions and pools."""

from __future__ import annotations

from dataclasses import dataclass

from pintsize.deferred import F, torch


@dataclass(frozen=True)
class Window:
    """A window over (height, width): all pairs are (vertical, horizontal), padding is (top, bottom, left, right)."""

    kernel: tuple[int, int]
    stride: tuple[int, int] = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: tuple[int, int] = (1, 1)

    @property
    def is_pointwise(self) -> bool:
        """Does it see one pixel and no padding?"""
        return self.kernel == (1, 1) and not any(self.padding)

    def output(self, shape: tuple[int, ...]) -> tuple[int, int]:
        """Output (height, width) for an input (height, width, channels). Raises ValueError if the window is larger."""
        if len(shape) != 3:
            raise ValueError(f"needs an input (height, width, channels), not {shape}")
        top, bottom, left, right = self.padding
        height = self._steps(shape[0] + top + bottom, 0)
        width = self._steps(shape[1] + left + right, 1)
        if height < 1 or width < 1:
            raise ValueError(
                f"window {self.kernel} with padding {self.padding} is larger than the input {shape}"
            )
        return height, width

    def pooled(self, name: str, shape: tuple[int, ...]) -> tuple[int, int]:
        """`output` of a pool. Raises ValueError also where a window would see nothing but padding."""
        height, width = self.output(shape)
        top, _, left, _ = self.padding
        if not (self._touches(0, height, top, shape[0]) and self._touches(1, width, left, shape[1])):
            raise ValueError(
                f"{name}: padding {self.padding} holds a whole window {self.kernel} over the input {shape}"
            )
        return height, width

    def _touches(self, axis: int, steps: int, before: int, extent: int) -> bool:
        """Does every window hold a pixel? One that begins behind the padding does unless that is behind the last."""
        stride = self.stride[axis]
        hanging = range(min(steps, -(-before // stride)))
        last = (steps - 1) * stride - before
        return last < extent and all(self._reaches(axis, before - i * stride, extent) for i in hanging)

    def _reaches(self, axis: int, missing: int, extent: int) -> bool:
        """Does a window hold a pixel that begins `missing` before the first?"""
        tap = -(-missing // self.dilation[axis])
        return tap < self.kernel[axis] and tap * self.dilation[axis] - missing < extent

    def _steps(self, extent: int, axis: int) -> int:
        reach = self.dilation[axis] * (self.kernel[axis] - 1) + 1
        return (extent - reach) // self.stride[axis] + 1


def convolve(
    x: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor, window: Window, groups: int = 1
) -> torch.Tensor:
    """x (N, H, W, C) with kernel (O, C / groups, Kh, Kw) and bias (O,) → (N, H', W', O); padding with zeros."""
    if window.is_pointwise and window.stride != (1, 1):
        # torch 2.13 writes beyond its memory in the gradient of a narrow one with strides
        down, across = window.stride
        x, window = x[:, ::down, ::across].contiguous(), Window((1, 1))
    top, bottom, left, right = window.padding
    if top == bottom and left == right:
        image, padding = x.permute(0, 3, 1, 2), (top, left)
    else:
        image, padding = pad_image(x, window.padding, 0.0), (0, 0)
    y = F.conv2d(image, kernel, bias, window.stride, padding, window.dilation, groups)
    return y.permute(0, 2, 3, 1)


def pad_image(x: torch.Tensor, padding: tuple[int, int, int, int], value: float) -> torch.Tensor:
    """x (N, H, W, C) as (N, C, H, W), channels still last in memory, with `value` around it."""
    top, bottom, left, right = padding
    image = x.permute(0, 3, 1, 2)
    return F.pad(image, (left, right, top, bottom), value=value) if any(padding) else image
