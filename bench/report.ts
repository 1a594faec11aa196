import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { renderPlot } from './plot.ts';
import type { Result, Scenario } from './scenario.ts';

const PAGE = 'benchmarks.md';
const HEADING = ['What', 'Bar', 'Measured', 'Ratio', ''];

function cells(result: Result): string[] {
  const verdict = result.met === null ? '' : result.met ? 'met' : 'missed';
  return [result.what, result.bar, result.measured, result.ratio, verdict];
}

/** A table that reads well in a terminal and is Markdown. */
export function renderTable(results: readonly Result[]): string {
  const rows = [HEADING, ...results.map(cells)];
  const widths = HEADING.map((_, column) => Math.max(3, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...body.map(line)].join('\n');
}

export interface Measured {
  scenario: Scenario;
  results: readonly Result[];
}

export interface Report {
  about: readonly string[];
  /** What repeats it. */
  command: string;
  measured: readonly Measured[];
}

/**
 * Puts the figures of each scenario between its markers on the page, and its plots beside it; what other scenarios
 * have there stays, so that each can be measured again alone.
 */
export async function writeReport(docs: string, report: Report): Promise<void> {
  const path = join(docs, PAGE);
  let page = existsSync(path) ? readFileSync(path, 'utf8') : '# Benchmarks\n';
  for (const { scenario, results } of report.measured) {
    const images: string[] = [];
    for (const plot of scenario.plots ?? []) {
      const points = results.flatMap(({ point }) => (point?.plot === plot.name ? [point] : []));
      if (points.length === 0) continue;
      const file = `benchmarks-${plot.name}.svg`;
      writeFileSync(join(docs, file), await renderPlot(plot, points));
      images.push(`![${plot.title}](${file})`, '');
    }
    const block = [
      ...report.about.map((line) => `- ${line}`),
      `- command: \`${report.command}\``,
      '',
      scenario.method,
      '',
      ...images,
      renderTable(results),
    ].join('\n');
    page = putBlock(page, scenario.name, block);
  }
  writeFileSync(path, page);
}

/** Replaces what stands between the markers of a scenario; a new one gets a section at the end. */
export function putBlock(page: string, name: string, block: string): string {
  const [begin, end] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`];
  const text = `${begin}\n\n${block}\n\n${end}`;
  const from = page.indexOf(begin);
  const to = page.indexOf(end);
  if (from < 0 && to < 0) return `${page.trimEnd()}\n\n## ${name}\n\n${text}\n`;
  if (from < 0 || to < from) throw new Error(`${PAGE} has only one of ${begin} and ${end}`);
  return page.slice(0, from) + text + page.slice(to + end.length);
}
