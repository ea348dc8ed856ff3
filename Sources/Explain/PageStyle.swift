/// How pages look: on phones and wide screens, in light and dark, and on paper.
///
/// The two colours of series are those of Okabe and Ito, which colour-blind readers tell apart; where
/// they mean something, dashes, marks or words say the same.
enum PageStyle {
  static let text = colors + layout + tables + charts + mistakes + paper

  private static let colors = """
    :root { color-scheme: light dark; --ink: #1d2025; --soft: #5a616b; --paper: #fff; \
    --panel: #f3f5f7; --line: #d4d9df; --first: #0072b2; --second: #c24a00; \
    --field: 0 114 178; --on-field: #fff; --remark: #fff3d6; --remark-line: #c78a00; }
    @media screen and (prefers-color-scheme: dark) { :root { --ink: #e7e9ec; --soft: #a4abb5; \
    --paper: #16181c; --panel: #202429; --line: #3b4149; --first: #56b4e9; --second: #f0a044; \
    --field: 86 180 233; --on-field: #0d1116; --remark: #352b14; --remark-line: #d19b1f; } }

    """

  private static let layout = """
    * { box-sizing: border-box; }
    body { font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", \
    "DejaVu Sans", sans-serif; max-width: 1180px; margin: 1.5em auto 4em; padding: 0 1em; \
    color: var(--ink); background: var(--paper); overflow-wrap: anywhere; }
    h1 { font-size: 1.6em; line-height: 1.2; margin: 0 0 .6em; }
    h2 { font-size: 1.2em; margin: 2.2em 0 .6em; padding-top: .8em; \
    border-top: 1px solid var(--line); }
    h3 { font-size: 1em; margin: 1.4em 0 .4em; }
    p { max-width: 44em; margin: .5em 0; }
    .verdict { font-size: 1.15em; max-width: none; }
    .verdict strong { font-size: 1.9em; line-height: 1.1; margin-right: .15em; white-space: nowrap; }
    .missing { background: var(--remark); border-left: 4px solid var(--remark-line); \
    padding: .5em .8em; }
    img { max-width: 100%; height: auto; display: block; }
    figure { margin: 1em 0; }
    figcaption { color: var(--soft); font-size: .9em; }
    .wide { overflow-x: auto; max-width: 100%; }
    .columns { display: grid; column-gap: 3em; \
    grid-template-columns: repeat(auto-fit, minmax(min(480px, 100%), 1fr)); }
    .columns > section { min-width: 0; }
    dl { display: grid; grid-template-columns: max-content 1fr; gap: .25em 1.2em; margin: 0; }
    dt { color: var(--soft); } dd { margin: 0; }
    pre { background: var(--panel); padding: .8em 1em; font-size: .85em; line-height: 1.45; \
    white-space: pre-wrap; overflow-wrap: anywhere; font-family: ui-monospace, monospace; }
    @media (max-width: 480px) { dl { grid-template-columns: 1fr; gap: 0; } \
    dd { margin-bottom: .5em; } }

    """

  private static let tables = """
    table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
    th, td { text-align: left; padding: .3em .9em .3em 0; vertical-align: top; }
    thead th { border-bottom: 1px solid var(--soft); font-weight: 600; overflow-wrap: normal; }
    td.number, th.number, .classes td, .classes thead th + th { text-align: right; \
    overflow-wrap: normal; white-space: nowrap; }
    .classes tbody tr { border-bottom: 1px solid var(--line); }
    .classes th { font-weight: 400; min-width: 5em; } .classes thead th { font-weight: 600; }
    .classes td + td { padding-left: .3em; }
    small { display: block; color: var(--soft); font-size: .75em; }
    .confusion td, .confusion thead th { text-align: center; padding: .35em .3em; \
    min-width: 2.4em; white-space: nowrap; }
    .confusion thead th { border: 0; color: var(--soft); font-weight: 400; }
    .confusion tbody th { font-weight: 400; max-width: 16em; min-width: 5em; border: 0; \
    line-height: 1.25; vertical-align: middle; }
    .confusion tbody td { border: 1px solid var(--line); \
    background: rgb(var(--field) / calc(var(--s) * .9)); }
    .confusion td.same { outline: 2px solid var(--ink); outline-offset: -2px; font-weight: 600; }
    .confusion td.strong { color: var(--on-field); }
    .confusion td.none { color: var(--soft); }
    .clamp { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; \
    overflow: hidden; }
    @media (max-width: 480px) { .classes, .classes tbody, .classes thead { display: block; } \
    .classes tr { display: grid; grid-template-columns: 2.7em repeat(4, minmax(0, 1fr)); padding: .3em 0; } \
    .classes th:first-child { grid-column: 1 / -1; } .classes thead th:first-child { display: none; } \
    .classes th, .classes td { padding: .1em .3em .1em 0; } .classes thead th { font-size: .78em; } \
    .classes thead th + th { border: 0; } \
    .classes td { font-size: .95em; } .classes small { font-size: .72em; } \
    .classes thead th:nth-child(2), .classes td:nth-child(2) { text-align: left; padding-left: 0; } \
    th, td { padding-right: .5em; } .confusion { font-size: .9em; } .confusion tbody th { min-width: 6.5em; } }
    span.number { color: var(--soft); display: inline-block; min-width: 1.4em; }

    """

  private static let charts = """
    .charts { display: grid; gap: .5em 1.5em; \
    grid-template-columns: repeat(auto-fit, minmax(min(310px, 100%), 1fr)); }
    .charts figure { margin: 0; max-width: 460px; }
    .charts figcaption { color: var(--ink); font-weight: 600; }
    .chart { width: 100%; max-width: 460px; height: auto; display: block; overflow: visible; }
    .chart text { font-size: 12px; fill: var(--ink); }
    .chart .tick { fill: var(--soft); font-size: 11.5px; }
    .chart .mark { font-weight: 600; }
    .grid { stroke: var(--line); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
    .best { stroke: var(--ink); stroke-width: 1.2; stroke-dasharray: 1.5 3; }
    .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
    .line.first { stroke: var(--first); } .dot.first { fill: var(--first); }
    .line.second { stroke: var(--second); stroke-dasharray: 6 4; }
    .dot.second { fill: var(--paper); stroke: var(--second); stroke-width: 1.6; }
    .bar { fill: var(--first); fill-opacity: .45; } .count { fill: var(--soft); }
    .diagonal { stroke: var(--soft); stroke-width: 1.4; stroke-dasharray: 5 4; }
    .whisker { stroke: var(--ink); stroke-width: 1.4; } .point { fill: var(--ink); }
    .cell { fill: var(--first); } .frame { fill: none; stroke: var(--line); }

    """

  private static let mistakes = """
    .mistakes { display: grid; gap: 1em; margin-top: 1em; \
    grid-template-columns: repeat(auto-fill, minmax(min(330px, 100%), 1fr)); }
    .mistake { margin: 0; padding: .8em; background: var(--panel); border-radius: 6px; }
    .mistake p { margin: .3em 0; } .mistake figcaption { color: var(--ink); }
    .pair { display: grid; grid-template-columns: 1fr 1fr; gap: 6px; margin-bottom: .5em; }
    .pair img { width: 100%; border-radius: 3px; }
    .path { color: var(--soft); font-size: .85em; }
    .bar-row { display: grid; grid-template-columns: minmax(5em, 2fr) 3fr 4em; gap: .6em; \
    align-items: center; line-height: 1.3; }
    .right { font-weight: 600; }
    .bar-track { background: var(--line); height: .6em; display: block; }
    .bar-track span { background: var(--first); height: 100%; display: block; }
    .bar-value { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }

    """

  private static let paper = """
    @page { size: A4; margin: 15mm; }
    @media print { :root { color-scheme: light; } body { font-size: 10.5pt; margin: 0; padding: 0; \
    max-width: none; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
    h2, h3 { break-after: avoid; } section, figure, tr, .missing, .mistake { break-inside: avoid; }
    .wide { overflow: visible; } .wide img { min-width: 0 !important; } .charts { grid-template-columns: 1fr 1fr; } \
    .columns { display: block; }
    .mistakes { grid-template-columns: 1fr 1fr; } }

    """
}
