"""A user's own classes of pictures: trained from a folder, shrunk, and told with the reason where nothing can be."""

from pintsize.apps.images.own.own import OwnPictures

__all__ = ["OwnPictures"]
