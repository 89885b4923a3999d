"""Prepares matplotlib's SVG for a page: unique ids, a spoken description, and a third of the bytes."""

from __future__ import annotations

import re
from html import escape

# Verdana is as wide as DejaVu Sans, so that labels fit where the font is missing.
_FONTS = "'DejaVu Sans',Verdana,sans-serif"


def inline(svg: str, name: str, alt: str) -> str:
    """Without prologue, scaled to the page's width; what is left out changes nothing that is seen."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<g id="(?:figure|text|line2d|patch)_\d+">', "<g>", svg)
    # made from addresses in memory: another one each time
    for number, id in enumerate(re.findall(r'<clipPath id="([^"]*)"', svg)):
        svg = svg.replace(f'"{id}"', f'"clip_{number}"').replace(f"(#{id})", f"(#clip_{number})")
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = svg.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    svg = _smaller(svg)
    open_end = svg.index(">")
    opening = re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', _pixels, svg[:open_end])
    return f'{opening} role="img" aria-label="{escape(alt)}">{svg[open_end + 1 :]}'


def _pixels(size: re.Match[str]) -> str:
    width, height = (float(points) * 4 / 3 for points in size.groups())
    return f'width="{width:.0f}" height="{height:.0f}" style="max-width:100%;height:auto;font-family:{_FONTS}"'


def _smaller(svg: str) -> str:
    svg = re.sub(r'(<text style=")([^"]*)(" x="[^"]*" y="[^"]*")( transform="rotate\(-0 [^)]*\)")?', _text, svg)
    svg = re.sub(r"<[^>]*>", _rounded, svg)
    svg = re.sub(r"<g>\s*(<(?:path|text|use)\b[^<]*(?:/>|</text>))\s*</g>", r"\1", svg)
    return re.sub(r">\n\s+<", ">\n<", svg)


def _rounded(tag: re.Match[str]) -> str:
    """A hundredth of a point is not seen. Labels stand between tags."""
    text = re.sub(r"\s*\n\s*", " ", tag[0])
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}".rstrip("0").rstrip("."), text)


def _text(label: re.Match[str]) -> str:
    """The family stands at the root once; a text that is not turned needs no rotation by 0."""
    style = re.sub(
        r"font: (?:(\d+) )?([\d.]+px) [^;]*",
        lambda font: f"font-size: {font[2]}" + (f"; font-weight: {font[1]}" if font[1] else ""),
        label[2],
    )
    return label[1] + style.replace("; text-anchor: start", "") + label[3]
