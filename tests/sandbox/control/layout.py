"""The frame and the style sheet of the sandbox's own pages."""

from __future__ import annotations

from html import escape

STYLE = """
html { color-scheme: light dark }
:root { --line: #d5d9e0; --soft: #f4f6f9; --ink: #1c2733; --mark: #0b63ce }
@media (prefers-color-scheme: dark) {
  :root { --line: #3a4552; --soft: #1d2530; --ink: #e6ebf1; --mark: #2a6fdb }
  body { background: #141a22 }
}
* { box-sizing: border-box }
body { margin: 0; font: 15px/1.5 system-ui, sans-serif; color: var(--ink) }
header { padding: .75rem 1.5rem; border-bottom: 4px solid #e0a100; background: var(--soft) }
header a { color: inherit; text-decoration: none; font-weight: 700 }
header small { margin-left: .5rem; opacity: .75 }
main { max-width: 78rem; margin: 0 auto; padding: 1rem 1.5rem 4rem }
main.narrow { max-width: 34rem }
h1 { font-size: 1.5rem } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
.scroll { overflow-x: auto }
th, td { text-align: left; padding: .4rem .6rem; vertical-align: top;
  border-bottom: 1px solid var(--line) }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
code, input.secret { font: .85rem ui-monospace, monospace }
input.secret { width: 100%; min-width: 12rem }
input, select, button { font: inherit; padding: .3rem .6rem; border: 1px solid var(--line);
  border-radius: .4rem; background: var(--soft); color: inherit }
button { cursor: pointer } button:hover { border-color: var(--mark) }
button.primary { background: var(--mark); color: #fff; border-color: var(--mark) }
:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px }
form { display: flex; flex-wrap: wrap; gap: .4rem; align-items: center; margin: .2rem 0 }
td form { display: inline-flex; margin: 0 .3rem .3rem 0 }
details, .cards { margin: .6rem 0 } details table { margin-top: .5rem }
.half { width: 34% }
a { color: inherit }
main.narrow form { display: block } main.narrow form.stack { display: grid; gap: .5rem }
.card form { display: inline-flex; margin: 0 .3rem .4rem 0 } .card ul { margin: 0 0 .5rem }
fieldset { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0 }
fieldset label { display: block; padding: .2rem 0 }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(19rem, 1fr)); gap: 1rem }
.card { border: 1px solid var(--line); border-radius: .6rem; padding: .75rem 1rem }
.card h3 { margin: 0 0 .4rem; font-size: 1rem } .bad { color: #c4320a } small { opacity: .75 }
.facts { display: flex; flex-wrap: wrap; gap: 1.5rem; margin: 0 } .facts div { min-width: 6rem }
.facts dt { font-size: .8rem; opacity: .75 }
.facts dd { margin: 0; font-size: 1.3rem; font-weight: 600 }
@media (max-width: 600px) {
  table.stack, .stack tbody, .stack tr, .stack td { display: block }
  .stack thead { display: none } .stack td.number { text-align: left }
  .stack td { border: 0; padding: .1rem .6rem }
  .stack tr { border-bottom: 1px solid var(--line); padding: .4rem 0 }
}
"""


def page(title: str, body: str, *, narrow: bool = False) -> str:
    """A whole HTML page that says what it is."""
    kind = ' class="narrow"' if narrow else ""
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)} · '
        'Simulated Bitbucket</title><meta name="viewport" content="width=device-width">'
        '<link rel="icon" href="data:,"><link rel="stylesheet" href="/control/style.css">'
        "</head><body>"
        '<header><a href="/control/">Simulated Bitbucket</a>'
        "<small>not the real one: everything here is made up</small></header>"
        f"<main{kind}>{body}</main></body></html>"
    )
