"""Two pictures of one frame beside each other, with a line between them that can be moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_ZOOM = (
    '<label class="zoom"><span>zoom</span><select>'
    '<option value="1">1x</option><option value="2">2x</option><option value="4">4x</option>'
    "</select></label>"
)


@dataclass(frozen=True)
class View:
    """One of the pictures.

    Parameters
    ----------
    name : str
        What the menus call it.
    uri : str
        The picture as a data URI.
    values : str
        Its quality in words, shown below.
    """

    name: str
    uri: str
    values: str


def comparison(
    title: str, views: Sequence[View], size: tuple[int, int], *, left: int, right: int
) -> str:
    """Return a figure with all views, of which two are seen, and the controls.

    Parameters
    ----------
    title : str
        What the frame is.
    views : sequence of View
    size : (int, int)
        Width and height of every view.
    left, right : int
        The views that are seen first.
    """
    width, height = size
    images = [_image(title, index, view, size) for index, view in enumerate(views)]
    layers = {"right": images[right], "left": images[left]}
    layers["rest"] = "".join(image for image in images if image not in layers.values())
    stage = "".join(f'<div class="layer {name}">{shown}</div>' for name, shown in layers.items())
    return (
        f'<figure class="comparison" style="max-width:{width * 3 // 2}px">'
        f"<figcaption>{escape(title)}</figcaption>"
        f'<div class="menus">{_menu("left", views, left)}{_ZOOM}{_menu("right", views, right)}</div>'
        f'<div class="stage" style="aspect-ratio:{width}/{height}">'
        f'{stage}<span class="divider" aria-hidden="true"></span>'
        f'<input type="range" min="0" max="100" step="0.5" value="50" '
        f'aria-label="{escape(f"{title}: how much of the left picture is seen, in per cent")}"></div>'
        f'<div class="values"><output class="left">{_values(views[left])}</output>'
        f'<output class="right">{_values(views[right])}</output></div></figure>'
    )


def _image(title: str, index: int, view: View, size: tuple[int, int]) -> str:
    width, height = size
    return (
        f'<img src="{view.uri}" width="{width}" height="{height}" '
        f'alt="{escape(f"{title}: {view.name}")}" data-index="{index}" '
        f'data-name="{escape(view.name)}" data-values="{escape(view.values)}">'
    )


def _menu(side: str, views: Sequence[View], selected: int) -> str:
    options = "".join(
        f"<option{' selected' if index == selected else ''}>{escape(view.name)}</option>"
        for index, view in enumerate(views)
    )
    return f'<label class="{side}"><span>{side}</span><select>{options}</select></label>'


def _values(view: View) -> str:
    return f"<b>{escape(view.name)}</b> {escape(view.values)}"
