const context = 3;

/**
 * The lines in which two JSON values differ, as one hunk of a unified diff with three lines around it. Empty when equal.
 * Stands behind the messages that upstream ends with a diff of specs.
 */
export function jsonDiff(from: unknown, to: unknown): string {
  const left = JSON.stringify(from ?? null, sortKeys, 1).split('\n');
  const right = JSON.stringify(to ?? null, sortKeys, 1).split('\n');
  let head = 0;
  while (head < left.length && head < right.length && left[head] === right[head]) head++;
  let tail = 0;
  while (
    tail < left.length - head &&
    tail < right.length - head &&
    left[left.length - 1 - tail] === right[right.length - 1 - tail]
  ) {
    tail++;
  }
  if (head === left.length && head === right.length) return '';
  const start = Math.max(0, head - context);
  const after = Math.min(context, tail);
  const hunk = [
    ...left.slice(start, head).map((line) => ` ${line}`),
    ...left.slice(head, left.length - tail).map((line) => `-${line}`),
    ...right.slice(head, right.length - tail).map((line) => `+${line}`),
    ...left.slice(left.length - tail, left.length - tail + after).map((line) => ` ${line}`),
  ];
  const leftSize = left.length - tail + after - start;
  const rightSize = right.length - tail + after - start;
  return `@@ -${start + 1},${leftSize} +${start + 1},${rightSize} @@\n${hunk.join('\n')}\n`;
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}
