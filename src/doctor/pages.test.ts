import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { indexPage, rulePage } from './pages.ts';
import { allRules } from './rules/index.ts';

const page = (file: string): string => readFileSync(`docs/why/${file}`, 'utf8');

test('docs/why is what scripts/why-pages.mjs makes of the rules', () => {
  const stale = allRules.filter((it) => page(`${it.id}.md`) !== rulePage(it, allRules)).map((it) => it.id);
  expect(stale, 'run: npm run build && node scripts/why-pages.mjs').toEqual([]);
  expect(page('README.md')).toBe(indexPage(allRules));
  const known = new Set(['README.md', 'report.md', ...allRules.map((it) => `${it.id}.md`)]);
  expect(readdirSync('docs/why').filter((it) => !known.has(it))).toEqual([]);
});
