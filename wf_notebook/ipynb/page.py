"""A session as one page: nothing in it runs, nothing is fetched, and it is read in light and dark."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from ..readable import harmless
from ..redact import redact
from ..render import record_bundle, timeline_html
from ..render.highlight import code_parts
from .making import about, heading, last_timeline, lines, notes

if TYPE_CHECKING:
    from .report import Report, Told

#: Styles and pictures that lie in the file, and nothing else: no script, no font, no frame, no form.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
#: What Jupyter says of colours, as records use it.
_LIGHT = {
    "layout-color1": "#fff", "ui-font-color0": "#111", "ui-font-color1": "#222", "ui-font-color2": "#595959",
    "border-color1": "#bbb", "border-color2": "#d5d5d5", "code": "#f6f6f6", "link": "#0b57a4",
    "success-color1": "#2e7d32", "error-color1": "#c62828", "warn-color1": "#9a5b00", "info-color1": "#1565c0",
    "mirror-editor-keyword-color": "#7b2fb5", "mirror-editor-string-color": "#9a4a12", "mirror-editor-number-color": "#1f6f38",
    "mirror-editor-def-color": "#1c5fb8", "mirror-editor-builtin-color": "#116673", "mirror-editor-comment-color": "#4f6b6b",
}  # fmt: skip
_DARK = {
    "layout-color1": "#14161a", "ui-font-color0": "#fff", "ui-font-color1": "#e4e4e4", "ui-font-color2": "#a9adb3",
    "border-color1": "#555", "border-color2": "#3a3d42", "code": "#1e2126", "link": "#7ab7f5",
    "success-color1": "#7bc67e", "error-color1": "#f28b82", "warn-color1": "#e8b25a", "info-color1": "#82b1ff",
    "mirror-editor-keyword-color": "#cf9cf5", "mirror-editor-string-color": "#e8a87c", "mirror-editor-number-color": "#8fd19e",
    "mirror-editor-def-color": "#8ab8ff", "mirror-editor-builtin-color": "#79cfdb", "mirror-editor-comment-color": "#9db5b5",
}  # fmt: skip
_STYLE = """
:root { color-scheme: light dark; %(light)s }
@media (prefers-color-scheme: dark) { :root { %(dark)s } }
body { margin: 0; background: var(--jp-layout-color1); color: var(--jp-ui-font-color1);
  font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
main { max-width: 56rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1, h2 { line-height: 1.25; color: var(--jp-ui-font-color0); }
h2 { margin: 2.2rem 0 .6rem; font-size: 1.15rem; }
pre { background: var(--jp-code); padding: .7rem .9rem; border-radius: 4px; overflow-x: auto; white-space: pre;
  overflow-wrap: normal; font-size: 85%%; }
code { font-family: ui-monospace, monospace; }
table { border-collapse: collapse; display: block; overflow-x: auto; max-width: 100%%; }
td, th { border-bottom: 1px solid var(--jp-border-color2); padding: .2rem .6rem; }
a { color: var(--jp-link); }
img { max-width: 100%%; }
summary { cursor: pointer; }
summary:focus-visible, a:focus-visible { outline: 2px solid var(--jp-link); outline-offset: 2px; }
blockquote { margin: 0; padding-left: 1rem; border-left: 3px solid var(--jp-border-color1); }
.quiet { color: var(--jp-ui-font-color2); font-size: 90%%; }
@media print { details > * { display: block; } }
"""


def page(told: Report) -> str:
    """Return a session as the text of a page."""
    title = escape(_line(told.title))
    parts = [f"<h1>{title}</h1>", *(f'<p class="quiet">{escape(_line(each))}</p>' for each in about(told))]
    for named in told.workflows:
        parts.append(f"<h2>{escape(_line(named.name))}</h2>")
        if named.program is None:
            parts.append("<p>Its source was not kept.</p>")
        else:
            parts += map(_code, filter(None, [named.program.before, named.program.body]))
    parts += map(_run, told.runs)
    if told.state is not None:
        parts += ["<h2>State</h2>", told.state._repr_html_()]
        parts += [f"<h2>{escape(path)}</h2>{table._repr_html_()}" for path, table in told.tables]
    if bars := last_timeline(told):
        parts += ["<h2>Timeline</h2>", '<p class="quiet">What the last run did, and when.</p>', timeline_html(bars)]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{_style()}</style>\n</head>\n<body>\n<main>\n"
        + "\n".join(parts)
        + "\n</main>\n</body>\n</html>\n"
    )


def _run(told: Told) -> str:
    parts = [f"<h2>{escape(_line(heading(told)))}</h2>", _code("\n".join(lines(told)))]
    parts += [f'<p class="quiet">{escape(each)}</p>' for each in notes(told)]
    return "\n".join([*parts, record_bundle(told.run)["text/html"]])


def _code(source: str) -> str:
    return "".join(code_parts(harmless(redact(source)) + "\n", "python"))


def _line(text: str) -> str:
    return " ".join(harmless(redact(text)).split())


def _style() -> str:
    light, dark = ("; ".join(f"--jp-{name}: {colour}" for name, colour in each.items()) for each in (_LIGHT, _DARK))
    return _STYLE % {"light": light, "dark": dark}
