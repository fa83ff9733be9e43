"""How a report looks: light or dark as the reader's screen is, and plain on paper.

Colours never stand alone: the word is always beside them. Text has a contrast of at least 4.5 : 1 to what is behind it
(WCAG 2.2, 1.4.3), and marks one of 3 : 1 (1.4.11).
"""

LIGHT = {
    "page": "#ffffff",
    "box": "#f4f5f7",
    "ink": "#1b1f24",
    "faint": "#57606a",
    "rule": "#c4cad1",
    "on-level": "#ffffff",
    "critical": "#8f1155",
    "error": "#bd2c00",
    "warning": "#8a5a00",
    "info": "#0b5cad",
    "good": "#1a6f37",
    "shown": "#3e6f9e",
    "condensed": "#7d8fa1",
    "dropped": "#1b1f24",
}
DARK = {
    "page": "#14171b",
    "box": "#1f242a",
    "ink": "#e6e9ec",
    "faint": "#a3acb5",
    "rule": "#444c56",
    "on-level": "#14171b",
    "critical": "#ff8ac4",
    "error": "#ff8f70",
    "warning": "#e8b44a",
    "info": "#79b8ff",
    "good": "#6ccb89",
    "shown": "#5b93c7",
    "condensed": "#8a98a6",
    "dropped": "#f5f6f7",
}

_RULES = """
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 64rem; padding: 1.25rem; background: var(--page); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
h1 { margin: 0; font-size: 1.4rem; line-height: 1.3; overflow-wrap: anywhere }
h2 { margin: 2.25rem 0 .75rem; padding-bottom: .25rem; border-bottom: 1px solid var(--rule); font-size: 1.15rem }
p { margin: .5rem 0 }
a { color: var(--info) }
nav a { margin-right: 1rem }
.faint, nav { color: var(--faint); font-size: .9rem }
.tiles { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1rem 0; padding: 0; list-style: none }
.tiles li { flex: 1 1 7rem; padding: .6rem .9rem; border: 1px solid var(--rule); border-left-width: .4rem;
  border-radius: .4rem; background: var(--box); font-size: .85rem; font-weight: 600; letter-spacing: .03em }
.tiles b { display: block; font-size: 2rem; line-height: 1.15; font-variant-numeric: tabular-nums }
.tiles .none { color: var(--faint) }
.tiles .critical { border-left-color: var(--critical) }
.tiles .error { border-left-color: var(--error) }
.tiles .warning { border-left-color: var(--warning) }
.tiles .info { border-left-color: var(--info) }
.tiles .none { border-left-color: var(--rule) }
.good { color: var(--good); font-weight: 600 }
.gaps { margin: 1rem 0; padding: .6rem .9rem; border: 2px solid var(--warning); border-radius: .4rem }
.gaps ul { margin: .25rem 0; padding-left: 1.25rem }
article { margin: .75rem 0; padding: .7rem .9rem; border: 1px solid var(--rule); border-left-width: .4rem;
  border-radius: .4rem; overflow: hidden; break-inside: avoid }
article.critical { border-left-color: var(--critical) }
article.error { border-left-color: var(--error) }
article.warning { border-left-color: var(--warning) }
article.info { border-left-color: var(--info) }
article.failed { border-left-color: var(--dropped) }
article p { margin: .15rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
.badge { padding: .1rem .5rem; border-radius: .3rem; color: var(--on-level); font-size: .8rem; font-weight: 700 }
.badge.critical { background: var(--critical) }
.badge.error { background: var(--error) }
.badge.warning { background: var(--warning) }
.badge.info { background: var(--info) }
.badge.failed { background: var(--ink); color: var(--page) }
.lines { font-family: ui-monospace, monospace; font-weight: 600 }
summary { color: var(--faint); font-size: .9rem; cursor: pointer }
pre { margin: .35rem 0 0; padding: .5rem .7rem; border-radius: .3rem; background: var(--box); overflow: hidden;
  font: .82rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
svg { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif }
svg text { fill: var(--faint) }
svg .rule { stroke: var(--rule); stroke-dasharray: 1 4 }
svg .axis { stroke: var(--faint) }
svg .hint { fill: var(--faint) }
svg .hint:hover { fill-opacity: .2 }
svg .critical rect { fill: var(--critical) }
svg .error rect { fill: var(--error) }
svg .warning rect { fill: var(--warning) }
svg .info rect { fill: var(--info) }
svg .failed rect { fill: var(--dropped) }
svg .shown, i.shown { fill: var(--shown); background: var(--shown) }
svg .condensed, i.condensed { fill: var(--condensed); background: var(--condensed) }
svg .dropped, i.dropped { fill: var(--dropped); background: var(--dropped) }
.legend span { margin-right: 1.25rem; white-space: nowrap }
.legend i { display: inline-block; width: .8rem; height: .8rem; margin-right: .4rem; border-radius: 2px }
table { width: 100%; border-collapse: collapse; font-size: .9rem }
th, td { padding: .3rem .6rem .3rem 0; border-bottom: 1px solid var(--rule); text-align: left; vertical-align: top }
th.number, td.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
td.example { font: .82rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere }
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); gap: .75rem; margin: 0 }
dt { color: var(--faint); font-size: .85rem }
dd { margin: 0; font-size: 1.1rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt }
  nav { display: none }
  details::details-content { content-visibility: visible; height: auto }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact }
}
"""


def _variables(colours: dict[str, str], scheme: str) -> str:
    named = " ".join(f"--{name}: {colour};" for name, colour in colours.items())
    return f":root {{ color-scheme: {scheme}; {named} }}"


STYLE = (
    _variables(LIGHT, "light")
    + "\n@media screen and (prefers-color-scheme: dark) { "
    + _variables(DARK, "dark")
    + " }"
    + _RULES
)
