"""The parts of a page that stands alone: a head that forbids it to load or run anything, and tables. All text that is
put in is escaped, with control characters written out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from dgm.reporting import text
from dgm.reporting.table import Table

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #777; --good: #0072b2; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1, h2, h3 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: 13px; }
caption { text-align: left; color: var(--soft); }
th, td { text-align: left; padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { overflow-x: auto; font: 12px/1.45 ui-monospace, monospace; padding: .6rem; border: 1px solid var(--line); }
.plus { color: #007a5a; } .minus { color: #c0392b; } .at { color: #0072b2; }
ul.tree, ul.tree ul { list-style: none; padding-left: 1.1rem; border-left: 1px solid var(--line); margin: 0; }
.best > .line { font-weight: 600; color: var(--good); } .line { white-space: nowrap; }
.said { color: var(--soft); font-weight: 400; white-space: normal; } svg { max-width: 100%; height: auto; }
section.agent { border-top: 1px solid var(--line); margin-top: 1.5rem; }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


def head(title: str) -> str:
    """From the first byte to the opened body."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f'<meta name="viewport" content="width=device-width"><title>{said(title)}</title>'
        f"<style>{_STYLE}</style></head>\n<body>"
    )


def table(shown: Table) -> str:
    """With its title and its note."""

    def row(cells: Sequence[str], tag: str) -> str:
        styled = (' class="number"' if column in shown.right else "" for column in shown.columns)
        return "".join(f"<{tag}{style}>{said(cell)}</{tag}>" for cell, style in zip(cells, styled, strict=True))

    top = f"<tr>{row(shown.columns, 'th')}</tr>"
    rows = "".join(f"<tr>{row(cells, 'td')}</tr>\n" for cells in shown.rows)
    note = f"<p>{said(shown.note)}</p>" if shown.note else ""
    return f'<div class="wide"><table><caption>{said(shown.title)}</caption>{top}\n{rows}</table></div>{note}'


def said(words: str) -> str:
    """Anybody's words, made harmless."""
    return escape(text.printable(words))
