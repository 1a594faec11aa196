import { expect, it } from 'vitest';
import { renderPlot } from '../../bench/plot.ts';
import type { Point } from '../../bench/scenario.ts';

it('a plot has a line for each name, a dot for each value and a tick for each limit', async () => {
  const point = (name: string, group: string, value: number, limit?: number): Point => ({
    ...{ plot: 'p', name, group, value },
    ...(limit === undefined ? {} : { limit }),
  });
  const points = [
    point('zebra <&> all', '5 M', 20),
    point('ant', '5 M', 20, 110),
    point('ant', '25 M', 90, 460),
  ];
  const svg = await renderPlot({ name: 'p', title: 'What was asked', axis: 'milliseconds' }, points);
  expect(svg).toMatch(/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
  const marks = (kind: string) => svg.match(new RegExp(`aria-roledescription="${kind}"`, 'g'))?.length ?? 0;
  expect(marks('circle')).toBe(3);
  expect(marks('tick')).toBe(2);
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)<\/text>/g)].map(([, text]) => text);
  expect(texts).toEqual(expect.arrayContaining(['What was asked', 'milliseconds', '5 M', '25 M']));
  // In the order in which they were measured.
  expect(texts.filter((text) => /^(zebra|ant)/.test(text ?? ''))).toEqual(['zebra &lt;&amp;&gt; all', 'ant']);
});
