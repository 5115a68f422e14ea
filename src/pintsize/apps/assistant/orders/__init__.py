"""Spoken orders: one int8 model on raw samples that tells intent and slots of a whole order; or one's own phrases."""

from pintsize.apps.assistant.orders.orders import Orders

__all__ = ["Orders"]
