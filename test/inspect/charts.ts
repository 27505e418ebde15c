/** The statecharts that the README shows, made from the machines. `npm run charts` writes them; a test compares. */

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { chatActors } from '../../actors/chat.ts';
import { chartOf, definitionOf, elkLayout, layoutOf, mermaidOf, svgOf } from '../../src/index.ts';

export const root = join(import.meta.dirname, '..', '..');

/** Between these the README has what is made here. */
const markers = /<!-- chart (\w+) -->\n[\s\S]*?<!-- \/chart -->/g;

function chartNamed(type: string) {
  const definition = chatActors.find((one) => one.type === type);
  if (definition === undefined) throw new Error(`The README names the chart of ${type}, which is no type of actors.`);
  return chartOf(definitionOf(definition.machine));
}

/** Types whose charts a page shows. */
export function chartsIn(page: string): readonly string[] {
  return [...page.matchAll(markers)].map(([, type]) => type!);
}

export function svgPath(type: string): string {
  return `docs/charts/${type}.svg`;
}

export async function svgFor(type: string): Promise<string> {
  return `${svgOf(await layoutOf(chartNamed(type), elkLayout))}\n`;
}

/** The page with its charts as the machines are now. */
export function withCharts(page: string): string {
  return page.replace(markers, (_, type: string) => {
    const chart = chartNamed(type);
    const states = chart.states.filter(({ parent }) => parent !== undefined).map(({ key }) => key);
    return [
      `<!-- chart ${type} -->`,
      `![The statechart of ${type}, with the states ${states.join(', ')}](${svgPath(type)})`,
      '',
      '<details><summary>The same as Mermaid</summary>',
      '',
      '```mermaid',
      mermaidOf(chart).trimEnd(),
      '```',
      '',
      '</details>',
      '<!-- /chart -->',
    ].join('\n');
  });
}

async function write(): Promise<void> {
  const readme = join(root, 'README.md');
  const page = withCharts(await readFile(readme, 'utf8'));
  await writeFile(readme, page);
  await mkdir(join(root, 'docs/charts'), { recursive: true });
  for (const type of chartsIn(page)) {
    await writeFile(join(root, svgPath(type)), await svgFor(type));
    process.stdout.write(`${svgPath(type)}\n`);
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await write();
