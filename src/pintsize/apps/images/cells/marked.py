"""A picture with the cells that were found drawn in."""

from __future__ import annotations

import io
from collections.abc import Mapping

from pintsize.apps.images.cells.cells import Found
from pintsize.apps.images.cells.peaks import CLASSES, STRIDE
from pintsize.errors import MissingExtra

#: class → colour and radius in pixels of what the model sees
MARKS: Mapping[str, tuple[str, int]] = {
    "red": ("#d62728", 14),
    "white": ("#1f3fff", 30),
    "platelets": ("#00a000", 8),
}
#: the picture is drawn so many times larger
ENLARGED = 2


def marked_png(found: Found) -> bytes:
    """A PNG: circles around the cells, and the counts below. Raises MissingExtra without Pillow."""
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise MissingExtra("pillow", "images") from error
    seen = Image.fromarray(found.seen)
    width, height = seen.width * ENLARGED, seen.height * ENLARGED
    sheet = Image.new("RGB", (width, height + 22), "white")
    sheet.paste(seen.resize((width, height), Image.Resampling.BICUBIC), (0, 0))
    pen = ImageDraw.Draw(sheet)
    for name, cells in zip(CLASSES, found.cells, strict=True):
        colour, radius = MARKS[name]
        for cell in cells:
            x, y = ((at + 0.5) * STRIDE * ENLARGED for at in (cell.column, cell.row))
            reach = radius * ENLARGED
            pen.ellipse((x - reach, y - reach, x + reach, y + reach), outline=colour, width=2)
    left = 6
    for name, count in found.counts.items():
        text = f"{name}: {count}"
        pen.text((left, height + 5), text, fill=MARKS[name][0])
        left += int(pen.textlength(text)) + 18
    stream = io.BytesIO()
    sheet.save(stream, format="PNG")
    return stream.getvalue()
