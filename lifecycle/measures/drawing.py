"""What all pictures (SVG) share: their frame, their styles in light, in dark and on paper, and their words. Pure.

No picture needs colour: shape, pattern, place or a number says the same; each names and describes itself.
"""

from collections.abc import Iterable, Iterator
from html import escape

STYLE = (
    'text{font:13px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;fill:#1f2328}.small{font-size:11px;fill:#4c5b6b}'
    ".strong{font-weight:600}.ground{fill:#ffffff}.lane{stroke:#d0d7de;fill:none}.now{stroke:#0b5cad;stroke-dasharray:4 3}"
    ".good{fill:#1a7f37}.half{fill:#8a5d00}.bad{fill:#cf222e}.open{fill:#ffffff;stroke:#57606a}.cross{stroke:#57606a}"
    ".edge{stroke:#ffffff}.restored{stroke:#1a7f37;stroke-width:3}.one{fill:#0b5cad}.other{fill:#8250df}"
    ".soft{fill:#8250df;fill-opacity:.35;stroke:#8250df}.spread{stroke:#8250df;stroke-width:5;stroke-opacity:.45;stroke-linecap:round}"
    "@media (prefers-color-scheme:dark){text{fill:#e7edf3}.small{fill:#a9b8c6}.ground{fill:#18212a}.lane{stroke:#3c4a58}"
    ".now{stroke:#7cbcf8}.good{fill:#4cc38a}.half{fill:#f4c873}.bad{fill:#ff8f88}.open{fill:#18212a;stroke:#a9b8c6}"
    ".cross{stroke:#a9b8c6}.edge{stroke:#18212a}.restored{stroke:#4cc38a}.one{fill:#7cbcf8}.other{fill:#c9a5ff}"
    ".soft{fill:#c9a5ff;stroke:#c9a5ff}.spread{stroke:#c9a5ff}}"
)


def document(
    width: int, height: float, title: str, description: str, parts: Iterable[str], style: str = ""
) -> str:
    """An SVG document with its name and its description in words."""
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
            'aria-labelledby="title description">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(description)}</desc>',
            f"<style>{STYLE}{style}</style>",
            f'<rect class="ground" width="{width}" height="{height}"/>',
            *parts,
            "</svg>\n",
        )
    )


def text(x: float, y: float, said: str, kind: str = "", anchor: str = "") -> str:
    """A word in a picture.

    Args:
        kind: `small`, `strong` or both.
        anchor: `middle` or `end`; at its start otherwise.
    """
    shown = "".join(
        f' {name}="{value}"' for name, value in (("class", kind), ("text-anchor", anchor)) if value
    )
    return f'<text x="{x}" y="{y}"{shown}>{escape(said)}</text>'


def named(said: str, *parts: str) -> Iterator[str]:
    """Parts that say in words what they show."""
    yield f"<g><title>{escape(said)}</title>"
    yield from parts
    yield "</g>"


def shortened(said: str, length: int) -> str:
    """What there is room for."""
    return said if len(said) <= length else f"{said[: length - 1].rstrip()}…"
