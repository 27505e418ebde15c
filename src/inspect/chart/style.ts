/**
 * The style of charts. Colours are variables with a light and a dark value, so that a page can give its own. A page with
 * a strict policy adopts this text as a constructed stylesheet; a file on its own carries it inside.
 */

/** What is lit: `is-active` on a state, `is-taken` on a transition. */
export const chartStyle = `
.troupe-chart {
  --chart-ground: #ffffff; --chart-box: #f8fafc; --chart-inner: #ffffff; --chart-line: #94a3b8; --chart-title: #0f172a;
  --chart-text: #334155; --chart-soft: #64748b; --chart-guard: #9a3412; --chart-action: #475569; --chart-label: #ffffff;
  --chart-label-line: #cbd5e1; --chart-active: #1d4ed8; --chart-active-box: #dbeafe; --chart-taken: #b45309;
  --chart-taken-box: #fef3c7; --chart-rule: #e2e8f0;
  font-family: "Helvetica Neue", Helvetica, Arial, "Liberation Sans", sans-serif; font-size: 12px;
}
@media (prefers-color-scheme: dark) {
  .troupe-chart:not(.is-light) {
    --chart-ground: #0b1120; --chart-box: #111827; --chart-inner: #1e293b; --chart-line: #64748b; --chart-title: #f1f5f9;
    --chart-text: #cbd5e1; --chart-soft: #94a3b8; --chart-guard: #fdba74; --chart-action: #a8b5c7; --chart-label: #0f172a;
    --chart-label-line: #475569; --chart-active: #60a5fa; --chart-active-box: #172554; --chart-taken: #fbbf24;
    --chart-taken-box: #422006; --chart-rule: #334155;
  }
}
.troupe-chart.is-dark {
  --chart-ground: #0b1120; --chart-box: #111827; --chart-inner: #1e293b; --chart-line: #64748b; --chart-title: #f1f5f9;
  --chart-text: #cbd5e1; --chart-soft: #94a3b8; --chart-guard: #fdba74; --chart-action: #a8b5c7; --chart-label: #0f172a;
  --chart-label-line: #475569; --chart-active: #60a5fa; --chart-active-box: #172554; --chart-taken: #fbbf24;
  --chart-taken-box: #422006; --chart-rule: #334155;
}
.troupe-chart .ground { fill: var(--chart-ground); }
.troupe-chart .state > .frame { fill: var(--chart-inner); stroke: var(--chart-line); stroke-width: 1.5; }
.troupe-chart .state.is-outer > .frame { fill: var(--chart-box); stroke-width: 1.25; }
.troupe-chart .state.is-region > .frame { stroke-dasharray: 6 4; }
.troupe-chart .state > .inner-frame { fill: none; stroke: var(--chart-line); stroke-width: 1; }
.troupe-chart .title { fill: var(--chart-title); font-size: 15px; font-weight: 700; }
.troupe-chart .description { fill: var(--chart-soft); }
.troupe-chart .rule { stroke: var(--chart-rule); stroke-width: 1; }
.troupe-chart .is-outer text { paint-order: stroke; stroke: var(--chart-box); stroke-width: 5px; stroke-linejoin: round; }
.troupe-chart .event { fill: var(--chart-text); font-weight: 700; }
.troupe-chart .word { fill: var(--chart-soft); font-style: italic; }
.troupe-chart .guard { fill: var(--chart-guard); }
.troupe-chart .action { fill: var(--chart-action); }
.troupe-chart .line { fill: none; stroke: var(--chart-line); stroke-width: 1.5; }
.troupe-chart .head, .troupe-chart .dot { fill: var(--chart-line); }
.troupe-chart .edge .plate { fill: var(--chart-label); stroke: var(--chart-label-line); stroke-width: 1; }
.troupe-chart .inner .plate { fill: none; }
.troupe-chart .state.is-active > .frame { stroke: var(--chart-active); stroke-width: 2.5; }
.troupe-chart .state.is-outer.is-active > .frame { stroke-width: 1.75; }
.troupe-chart .state.is-active:not(.is-outer) > .frame { fill: var(--chart-active-box); }
.troupe-chart .state.is-active > .rule { stroke: var(--chart-active); stroke-opacity: 0.3; }
.troupe-chart .state.is-active > .title { fill: var(--chart-active); }
.troupe-chart .edge.is-taken .line { stroke: var(--chart-taken); stroke-width: 2.5; }
.troupe-chart .edge.is-taken .head { fill: var(--chart-taken); }
.troupe-chart .edge.is-taken .plate, .troupe-chart .inner.is-taken .plate { fill: var(--chart-taken-box); stroke: var(--chart-taken); }
.troupe-chart .inner.is-taken text { stroke: none; }
.troupe-chart .edge.is-refused .line { stroke: var(--chart-guard); stroke-dasharray: 4 4; }
.troupe-chart .edge.is-refused .plate, .troupe-chart .inner.is-refused .plate { stroke: var(--chart-guard); stroke-dasharray: 4 3; }
@media (prefers-reduced-motion: no-preference) {
  .troupe-chart .frame, .troupe-chart .line, .troupe-chart .plate { transition: fill 0.2s, stroke 0.2s; }
  .troupe-chart .edge.is-flowing .line { stroke-dasharray: 7 5; animation: troupe-flow 0.5s linear infinite; }
}
@keyframes troupe-flow { to { stroke-dashoffset: -12; } }
`.trim();
