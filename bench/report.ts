import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Result, Scenario } from './scenario.ts';

const START = '<!-- bench:start -->';
const END = '<!-- bench:end -->';
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

export interface Report {
  about: readonly string[];
  results: readonly Result[];
  scenarios: readonly Scenario[];
}

/** Puts the figures between the markers of the page, which is made when it is not there. */
export function writeReport(path: string, report: Report): void {
  const page = existsSync(path) ? readFileSync(path, 'utf8') : `# Benchmarks\n\n${START}\n${END}\n`;
  const start = page.indexOf(START);
  const end = page.indexOf(END);
  if (start < 0 || end < start) throw new Error(`${path} has no ${START} … ${END}`);
  const text = [
    ...report.about.map((line) => `- ${line}`),
    '',
    renderTable(report.results),
    '',
    ...report.scenarios.flatMap((scenario) => [`**${scenario.name}**: ${scenario.method}`, '']),
  ].join('\n');
  writeFileSync(path, `${page.slice(0, start + START.length)}\n\n${text}\n${page.slice(end)}`);
}
