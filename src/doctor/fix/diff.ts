import { stringify } from 'yaml';

/** Longer texts are not compared line by line: the work grows with the product of their lengths. */
const mostLines = 3000;

/** Unified difference of two objects as YAML, with three lines around each change; '' when they are equal. Pure. */
export function yamlDiff(before: unknown, after: unknown): string {
  const [a, b] = [lines(before), lines(after)];
  if (a.length > mostLines || b.length > mostLines) return 'the object is too long to be shown as a diff';
  const edits = compare(a, b);
  const shown = new Set<number>();
  edits.forEach((it, i) => {
    if (it.mark !== ' ') for (let j = i - 3; j <= i + 3; j++) shown.add(j);
  });
  const out: string[] = [];
  let gap = false;
  edits.forEach((it, i) => {
    if (!shown.has(i)) gap = true;
    else {
      if (gap && out.length > 0) out.push('  …');
      gap = false;
      out.push(`${it.mark} ${it.line}`);
    }
  });
  return out.join('\n');
}

const lines = (value: unknown): readonly string[] =>
  value === undefined ? [] : stringify(value, { lineWidth: 0 }).trimEnd().split('\n');

interface Edit {
  readonly mark: ' ' | '-' | '+';
  readonly line: string;
}

/** The longest common subsequence, spelt out. */
function compare(a: readonly string[], b: readonly string[]): readonly Edit[] {
  const width = b.length + 1;
  const table = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      table[i * width + j] =
        a[i] === b[j]
          ? (table[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(table[(i + 1) * width + j] ?? 0, table[i * width + j + 1] ?? 0);
  const out: Edit[] = [];
  let [i, j] = [0, 0];
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      out.push({ mark: ' ', line: a[i] ?? '' });
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && (table[(i + 1) * width + j] ?? 0) >= (table[i * width + j + 1] ?? 0)))
      out.push({ mark: '-', line: a[i++] ?? '' });
    else out.push({ mark: '+', line: b[j++] ?? '' });
  }
  return out;
}
