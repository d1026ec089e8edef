// Writes docs/why: one page for each diagnosis rule and an overview, from the built rules. Run after `npm run build`.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { indexPage, rulePage } from '../dist/src/doctor/pages.js';
import { allRules } from '../dist/src/doctor/rules/index.js';

const dir = new URL('../docs/why/', import.meta.url).pathname;
const wanted = new Map([
  ['README.md', indexPage(allRules)],
  ...allRules.map((rule) => [`${rule.id}.md`, rulePage(rule, allRules)]),
]);
for (const file of readdirSync(dir)) if (!wanted.has(file) && file !== 'report.md') rmSync(join(dir, file));
for (const [file, text] of wanted) writeFileSync(join(dir, file), text);
console.log(`${allRules.length} pages in docs/why`);
