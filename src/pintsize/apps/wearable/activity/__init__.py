"""What somebody does, from the acceleration and turning of their phone or watch."""

from pintsize.apps.wearable.activity.activity import ActivityModel, Told, load_activity

__all__ = ["ActivityModel", "Told", "load_activity"]
