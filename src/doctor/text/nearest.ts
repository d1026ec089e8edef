/**
 * How many single-letter slips (wrong, missing, extra letter, two letters exchanged) lead from one text to the other; `limit` + 1 when more
 * than `limit`. Optimal string alignment.
 */
export function editDistance(a: string, b: string, limit = Number.POSITIVE_INFINITY): number {
  if (a === b) return 0;
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    let best = i;
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (previous[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
      best = Math.min(best, cost);
    }
    if (best > limit) return limit + 1;
    before = previous;
    previous = row;
  }
  return previous[b.length] ?? 0;
}

/** Letters that look or sound alike to a hurried eye count as equal: case, `-`, `_`, `.`. */
const plain = (text: string): string => text.toLowerCase().replaceAll(/[-_.]/g, '');

/**
 * Orders `candidates` by likeness to `wanted` and drops those too unlike to be a slip: same letters with other case or separators first, then
 * few slips, then one being the beginning, the end or a word of the other. At most `most`.
 */
export function nearest(wanted: string, candidates: Iterable<string>, most = 3): readonly string[] {
  const scored: { readonly name: string; readonly score: number }[] = [];
  const target = plain(wanted);
  for (const name of new Set(candidates)) {
    const score = name === wanted ? undefined : likeness(target, plain(name), wanted, name);
    if (score !== undefined) scored.push({ name, score });
  }
  scored.sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1));
  return scored.slice(0, most).map((it) => it.name);
}

/** The best match, where there is one. */
export const nearestOne = (wanted: string, candidates: Iterable<string>): string | undefined =>
  nearest(wanted, candidates, 1)[0];

function likeness(target: string, other: string, wanted: string, name: string): number | undefined {
  if (target === other) return 0;
  const longest = Math.max(target.length, other.length);
  const allowed = longest <= 3 ? 1 : longest <= 6 ? 2 : Math.floor(longest / 3);
  const distance = editDistance(target, other, allowed);
  // Of equal slips the one that keeps the length is likelier: letters are exchanged more often than lost.
  if (distance <= allowed) return distance + Math.abs(target.length - other.length) / 10;
  const shortest = Math.min(target.length, other.length);
  if (shortest >= 3 && (target.startsWith(other) || other.startsWith(target))) return allowed + 1 + longest - shortest;
  if (shortest >= 4 && (target.endsWith(other) || other.endsWith(target))) return allowed + 2 + longest - shortest;
  const shared = sharedWords(wanted, name);
  return shared > 0 ? 100 - shared : undefined;
}

/** Words of three letters and more that both have, when they make up at least half of the shorter. */
function sharedWords(a: string, b: string): number {
  const words = (text: string): readonly string[] =>
    text
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .filter((it) => it.length >= 3);
  const [left, right] = [words(a), words(b)];
  const common = left.filter((it) => right.includes(it)).length;
  return common * 2 >= Math.min(left.length, right.length) && common > 0 ? common : 0;
}
