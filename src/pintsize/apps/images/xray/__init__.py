"""Pneumonia on chest X-rays: one int8 model on raw pixels that also tells what it cannot grade."""

from pintsize.apps.images.xray.xray import XRay

__all__ = ["XRay"]
