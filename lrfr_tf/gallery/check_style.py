"""The style sheet of the page of a check."""

STYLE = """
:root {
  color-scheme: light dark;
  --ink: #1f2329; --soft: #5c6470; --line: #d9dce1; --faint: #f5f6f8; --ground: #fff;
  --right: #0b6e3b; --wrong: #b3261e; --note: #e69f00;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e6e8eb; --soft: #a3abb6; --line: #3a4048; --faint: #22272e; --ground: #16191d;
    --right: #5fd394; --wrong: #ff8a80; --note: #e6b34d;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 66rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
}
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .75rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0 0 .4rem; }
p { margin: .4rem 0; max-width: 48rem; }
.note { border-left: 3px solid var(--note); background: var(--faint); padding: .5rem .8rem; }
.warning { border-left: 3px solid var(--wrong); background: var(--faint); padding: .5rem .8rem; }
.small { color: var(--soft); font-size: .875rem; }
.right { color: var(--right); }
.wrong { color: var(--wrong); font-weight: 600; }
.unknown { color: var(--soft); }
.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(7rem, 1fr)); gap: .6rem; margin: 1rem 0; }
.key div { border: 1px solid var(--line); padding: .5rem .7rem; }
.key dt { color: var(--soft); font-size: .875rem; }
.key dd { margin: 0; font-size: 1.4rem; font-weight: 600; }
.people { display: grid; grid-template-columns: repeat(auto-fill, minmax(14rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.people section { border: 1px solid var(--line); padding: .7rem; break-inside: avoid; }
.people p { margin: .2rem 0; }
.faces { display: flex; flex-wrap: wrap; gap: .3rem; align-items: flex-end; }
.faces img {
  display: block; width: auto; max-width: 6rem; min-height: 2.5rem; max-height: 6rem; image-rendering: pixelated;
}
.none {
  display: inline-block; padding: .6rem .3rem; border: 1px dashed var(--line); color: var(--soft); font-size: .75rem;
}
.pair {
  display: flex; flex-wrap: wrap; gap: .3rem 1rem; align-items: center; padding: .5rem 0;
  border-bottom: 1px solid var(--line);
}
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .875rem; }
th, td { padding: .3rem .6rem; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { white-space: normal; }
th:first-child, td:first-child { text-align: left; }
@media print { body { max-width: none; } }
"""
