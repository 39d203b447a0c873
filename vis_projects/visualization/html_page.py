"""Pieces of the HTML pages: style, page, table, a picture inside the page."""

import base64
import io
from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np
from PIL import Image

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;color:#222;background:#fff;max-width:960px;margin:2em auto;padding:0 1em}
h1{font-size:1.5em} h2{font-size:1.15em;margin-top:2em;border-bottom:1px solid #ddd}
table{border-collapse:collapse} th,td{padding:.2em .8em;text-align:right;border-bottom:1px solid #eee}
th:first-child,td:first-child{text-align:left} img{max-width:100%} pre{background:#f6f6f6;padding:1em;overflow-x:auto}
svg{width:100%;font:11px system-ui,sans-serif} svg .grid{stroke:#e4e4e4} figure{margin:1em 0}
"""


def write_page(path: str | Path, title: str, body: Sequence[str]) -> Path:
    """Writes a page that needs nothing beside it but what its body links to; makes the folder.

    Args:
        path: html file.
        title: heading, as plain text.
        body: html.
    """
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    html = f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{STYLE}</style></head><body>\n'
    path.write_text(html + "\n".join([f"<h1>{escape(title)}</h1>", *body]) + "\n</body></html>\n", encoding="utf-8")
    return path


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Table of plain texts."""
    lines = ["<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>"]
    lines += ["<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows]
    return "<table>" + "".join(lines) + "</table>"


def html_figure(caption: str, image: np.ndarray) -> str:
    """A (H, W, 3) uint8 RGB image as a jpg inside the page."""
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(image)).save(buffer, "JPEG", quality=85)
    data = base64.b64encode(buffer.getvalue()).decode("ascii")
    text = escape(str(caption))
    return (
        f'<figure><img alt="{text}" src="data:image/jpeg;base64,{data}"><figcaption>{text}</figcaption></figure>'
    )
