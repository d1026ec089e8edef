import type { Consequence, Finding } from './finding.ts';
import { keyOf } from './reference.ts';

/** Puts findings that follow from another one below it, however long the chain. Pure; cycles are left as they are. */
export function link(findings: readonly Finding[]): readonly Finding[] {
  const about = new Map<string, Finding[]>();
  for (const it of findings)
    for (const ref of it.affected) {
      const key = keyOf(ref);
      const list = about.get(key);
      if (list) list.push(it);
      else about.set(key, [it]);
    }
  const reasons = new Map<Finding, Finding>();
  for (const it of findings) {
    const own = new Set(it.affected.map(keyOf));
    const reason = (it.because ?? [])
      .filter((ref) => !own.has(keyOf(ref)))
      .flatMap((ref) => about.get(keyOf(ref)) ?? [])
      .filter((other) => other !== it && other.severity !== 'info')
      .sort((a, b) => b.rank - a.rank)[0];
    if (reason) reasons.set(it, reason);
  }
  const below = new Map<Finding, Consequence[]>();
  const moved = new Set<Finding>();
  for (const it of reasons.keys()) {
    const root = rootOf(it, reasons);
    if (!root) continue;
    moved.add(it);
    const list = below.get(root) ?? [];
    list.push({ rule: it.rule, subject: it.subject, says: it.says, affected: it.affected.length }, ...it.consequences);
    below.set(root, list);
  }
  return findings
    .filter((it) => !moved.has(it))
    .map((it) => {
      const more = below.get(it);
      return more ? { ...it, consequences: [...it.consequences, ...more] } : it;
    });
}

function rootOf(from: Finding, reasons: ReadonlyMap<Finding, Finding>): Finding | undefined {
  const seen = new Set<Finding>();
  let at: Finding = from;
  for (;;) {
    if (seen.has(at)) return undefined;
    seen.add(at);
    const next = reasons.get(at);
    if (!next) return at;
    at = next;
  }
}
