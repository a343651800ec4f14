"""The style sheet of the HTML report."""

STYLE = """
:root { --ink: #1f2329; --soft: #5c6470; --line: #d9dce1; --faint: #f5f6f8; --right: #0b6e3b; --wrong: #b3261e; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0 auto; padding: 2.5rem 1.5rem 4rem; max-width: 66rem; background: #fff; color: var(--ink);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .75rem; letter-spacing: -.01em; }
h2 { font-size: 1.3rem; margin: 3rem 0 .5rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.75rem 0 .4rem; }
p { margin: .5rem 0; max-width: 48rem; }
.note { border-left: 3px solid #e69f00; background: var(--faint); padding: .6rem .9rem; margin: 1rem 0; }
.below { border-left: 3px solid var(--wrong); padding: .1rem .9rem; }
.small { color: var(--soft); font-size: .875rem; }

.key { display: grid; grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr)); gap: .75rem; margin: 1rem 0 0; }
.key div { border: 1px solid var(--line); border-top: 4px solid var(--color); padding: .5rem .75rem; }
.key dt { color: var(--soft); font-size: .875rem; }
.key dd { margin: 0; font-size: 1.5rem; line-height: 1.3; font-weight: 600; }
.key dd span { display: block; font-size: .8rem; font-weight: 400; color: var(--soft); }

.scroll { overflow-x: auto; margin: .75rem 0; }
table { border-collapse: collapse; font-size: .875rem; line-height: 1.3; }
.figures { width: 100%; }
.figures th, .figures td { padding: .3rem .45rem; text-align: right; white-space: nowrap; vertical-align: top; }
.figures th { font-weight: 600; border-bottom: 1px solid var(--ink); vertical-align: bottom; white-space: normal; }
.figures tr.over th { border-bottom: 0; padding-bottom: 0; color: var(--soft); font-weight: 400; }
.figures tr.over th.named { white-space: nowrap; border-bottom: 1px solid var(--line); text-align: center; }
.figures th.named::first-letter { text-transform: uppercase; }
.figures .word { text-align: left; }
.figures th.group { border: 0; padding-top: .7rem; padding-bottom: .1rem; text-align: left; color: var(--soft); }
.figures th.group span { position: sticky; left: .45rem; }
.figures th.starts, .figures td.starts { padding-left: 1.1rem; }
.figures tbody { border-bottom: 1px solid var(--line); }
.figures tbody:last-child { border-bottom: 1px solid var(--ink); }
.figures thead + tbody tr:first-child td { padding-top: .5rem; }
.figures tbody tr:last-child td { padding-bottom: .5rem; }
.figures small { display: block; font-size: .72rem; font-weight: 400; color: var(--soft); }

.faces { width: 100%; max-width: 48rem; table-layout: fixed; }
.faces th { padding: .25rem; font-weight: 600; text-align: center; }
.faces td { padding: .2rem .25rem; text-align: center; vertical-align: top; font-size: .8rem; }
.faces img { display: block; width: 100%; height: auto; }
.faces tbody { break-inside: avoid; }
.faces .who { padding: 0 .25rem .8rem; text-align: left; color: var(--soft); }
.faces .answers td { padding-bottom: .1rem; }
.right { color: var(--right); font-weight: 600; }
.wrong { color: var(--wrong); }

.plots { display: grid; grid-template-columns: repeat(2, 1fr); gap: 1.5rem; margin: 1rem 0; }
.plots img { display: block; width: 100%; max-width: 36rem; height: auto; }

.settings { width: 100%; }
.settings th, .settings td {
  padding: .3rem .5rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; font-weight: 400;
}
.settings th { color: var(--soft); width: 17rem; }
.settings td { overflow-wrap: anywhere; }
.glossary dt { font-weight: 600; margin-top: .6rem; }
.glossary dd { margin: 0; max-width: 48rem; }

/* On a phone the faces are shrunk, and dropped pixels would break the lines of the boxes. */
@media (min-width: 40rem) { .faces img { image-rendering: pixelated; } }
@media (max-width: 40rem) {
  body { padding: 1.25rem .9rem 3rem; }
  h1 { font-size: 1.5rem; }
  h2 { margin-top: 2.25rem; }
  .key { grid-template-columns: repeat(2, 1fr); }
  .plots { grid-template-columns: 1fr; }
  .figures th.word:first-child, .figures td:first-child { position: sticky; left: 0; background: #fff; }
  .faces th { font-size: .75rem; }
  .faces td { font-size: .7rem; }
  .settings th { width: 9rem; }
}
@media print {
  @page { margin: 14mm; }
  body { padding: 0; max-width: none; font-size: 9.5pt; }
  .scroll { overflow: visible; }
  table { font-size: 7.5pt; }
  .figures th, .figures td { padding: .2rem .25rem; }
  h2, h3, h2 + p { break-after: avoid; }
  .figures tbody, .plots img, .key, .note { break-inside: avoid; }
  .faces { max-width: 28rem; }
}
"""
