"""Figures and pictures as images: Matplotlib, Plotly, Altair, Pillow, and whatever draws itself as PNG."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from valechat.messages import ImagePart

__all__ = ["Picture", "picture_of"]

SIDE = 1_568
"""Pixels of the longer side of an image; more is scaled down by providers, and paid for."""

LOSSLESS = 1_000_000
"""Bytes up to which a picture keeps every pixel's colour. A photograph has more, and looks the same as JPEG."""

LARGEST = 4_500_000
"""Bytes of an image that every provider takes."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as a model gets it: an image, or what can be said where there is none."""

    text: str
    what: str
    images: tuple[ImagePart, ...] = ()


def picture_of(value: Any) -> Picture | None:
    """The value as an image; None where it is no picture."""
    library = str(type(value).__module__).partition(".")[0]
    if library == "matplotlib":
        return _matplotlib(value)
    if library == "plotly" and hasattr(value, "to_image"):
        return _exported(value, "Plotly figure", lambda: value.to_image(format="png"), "kaleido", _titled(value))
    if library == "altair" and hasattr(value, "to_dict"):
        return _exported(value, "Altair chart", lambda: _altair(value), "vl-convert-python", "")
    if library == "PIL" and hasattr(value, "thumbnail"):
        return _pillow(value)
    if not isinstance(value, type) and callable(getattr(type(value), "_repr_png_", None)):
        data = value._repr_png_()  # IPython's protocol for what draws itself
        data = data[0] if isinstance(data, tuple) else data
        if isinstance(data, bytes):
            return _image(data, type(value).__name__)
    return None


def _matplotlib(value: Any) -> Picture | None:
    """A figure; of axes and what else is drawn in one, the figure it belongs to."""
    figure = value if callable(getattr(value, "savefig", None)) else getattr(value, "figure", None)
    if figure is None or not callable(getattr(figure, "savefig", None)):
        return None
    data = io.BytesIO()
    inches = max(figure.get_size_inches())
    figure.savefig(data, format="png", dpi=max(20, min(100, SIDE / inches)))
    titles = [axes.get_title() for axes in figure.axes if axes.get_title()]
    return _image(data.getvalue(), " · ".join(["Matplotlib figure", *titles[:4]]))


def _pillow(value: Any) -> Picture:
    size = f"{value.width} × {value.height}"
    image = value.copy()
    image.thumbnail((SIDE, SIDE))
    if image.mode not in ("RGB", "RGBA", "L"):
        image = image.convert("RGBA")
    data = io.BytesIO()
    image.save(data, format="PNG")
    opaque = image.mode in ("RGB", "L") and data.tell() > LOSSLESS
    if opaque or data.tell() > LARGEST:
        data = io.BytesIO()
        image.convert("RGB").save(data, format="JPEG", quality=88)
    scaled = "" if image.size == value.size else f", sent as {image.width} × {image.height}"
    return _image(data.getvalue(), f"image, {size} pixels{scaled}")


def _altair(value: Any) -> bytes:
    data = io.BytesIO()
    value.save(data, format="png")
    return data.getvalue()


def _exported(value: Any, kind: str, draw: Callable[[], bytes], needs: str, title: str) -> Picture:
    """What another program draws. Without it the figure's own words are sent."""
    named = f"{kind}, {title}" if title else kind
    try:
        return _image(draw(), named)
    except Exception as error:  # noqa: BLE001  # a browser is started behind it, and anything may be missing
        reason = f"not drawn ({type(error).__name__}); install {needs} to send it as an image"
    specification: Mapping[str, Any] = value.to_dict()
    keys = ", ".join(str(key) for key in specification)
    return Picture(f"{named}, {reason}. Its specification has: {keys}.", reason)


def _titled(value: Any) -> str:
    title = getattr(getattr(getattr(value, "layout", None), "title", None), "text", None)
    return str(title) if title else ""


def _image(data: bytes, named: str) -> Picture:
    kind = "image/jpeg" if data.startswith(b"\xff\xd8\xff") else "image/png"
    if len(data) > LARGEST:
        return Picture(f"{named}: its image has {len(data):,} bytes, more than models take.", "too large to send")
    return Picture(f"[{named}]", "an image", (ImagePart(data, kind),))
