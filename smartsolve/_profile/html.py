"""A profile as HTML: one file without anything outside, or a part of a notebook."""

from html import escape

from .._report import html_page
from .advice import advice
from .findings import CallSite, Findings, our_solve
from .text import calls, duration, measured_how, shapes, summary

__all__ = ["fragment", "page"]

_STYLE = """
.smartsolve { --line: #8884; --theirs: #8c95a0a0; --ours: #3d9c72; --mark: #3d9c721f;
  font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; }
.smartsolve h1 { font-size: 1.3rem; margin: 0 0 .3rem; }
.smartsolve p { margin: .2rem 0; }
.smartsolve section { border-top: 1px solid var(--line); padding: .9rem 0; }
.smartsolve code { font: .92em/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
.smartsolve .place { font-weight: 600; overflow-wrap: anywhere; }
.smartsolve .dim { opacity: .75; }
.smartsolve .advice { background: var(--mark); border-left: 3px solid var(--ours);
  padding: .35rem .7rem; margin-top: .5rem; }
.smartsolve table { border-collapse: collapse; margin: .45rem 0; width: 100%; }
.smartsolve td { padding: .05rem .6rem .05rem 0; white-space: nowrap; text-align: left;
  background: none; color: inherit; border: 0; font-size: inherit; }
.smartsolve td.time { text-align: right; font-variant-numeric: tabular-nums; }
.smartsolve td.bar { width: 100%; }
.smartsolve .bar div { height: .7rem; min-width: 2px; border-radius: 2px; }
.smartsolve .theirs { background: var(--theirs); }
.smartsolve .ours { background: var(--ours); }
"""


def page(profile: Findings) -> str:
    """A document of its own."""
    return html_page(f"{profile.program}: linear systems", fragment(profile))


def fragment(profile: Findings) -> str:
    """What a notebook shows, in its colours; its style reaches nothing else."""
    heading, *rest = summary(profile)
    longest = max((t for s in profile.sites for t in profile.times(s) if t), default=0.0)
    parts = [
        f"<style>{_STYLE}</style>",
        '<div class="smartsolve">',
        f"<h1>{escape(profile.program)}: linear systems</h1>",
        f"<p>{escape(heading.removeprefix(profile.program + ': '))}</p>",
        *(f"<p>{escape(line)}</p>" for line in rest),
        *(_section(profile, site, longest) for site in profile.sites),
    ]
    if profile.sites:
        parts.append(f'<section class="dim">{escape(measured_how(profile))}</section>')
    return "\n".join([*parts, "</div>"])


def _section(profile: Findings, site: CallSite, longest: float) -> str:
    theirs, ours = profile.times(site)
    rows = [_row(site.function, theirs, "theirs", longest)]
    if site.role != "inv":
        rows.append(_row(our_solve(site.function), ours, "ours", longest))
    count = calls(site)
    if site.calls or not site.traces:
        count += " call" + ("s" if site.calls != 1 else "")
    failed = f", {site.failed:,} failed" if site.failed else ""
    lines = [
        f'<p><span class="place">{escape(site.place)}</span> '
        f'<span class="dim">{escape(site.where)}, {count}{failed}</span></p>',
        f"<p><code>{escape(site.text)}</code></p>",
        f"<table>{''.join(rows)}</table>",
        *(f'<p class="dim">{escape(line)}</p>' for line in shapes(site)),
        f'<p class="advice">{_marked(advice(site, profile.with_ours))}</p>',
    ]
    return "<section>\n" + "\n".join(lines) + "\n</section>"


def _row(name: str, seconds: float | None, color: str, longest: float) -> str:
    width = 100 * seconds / longest if seconds is not None and longest else 0.0
    bar = f'<div class="{color}" style="width: {width:.2f}%"></div>' if seconds else ""
    return (
        f'<tr><td>{escape(name)}</td><td class="time">{duration(seconds)}</td>'
        f'<td class="bar">{bar}</td></tr>'
    )


def _marked(text: str) -> str:
    """What stands between backquotes is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if i % 2 else part for i, part in enumerate(parts))
