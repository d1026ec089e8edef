import type { Claim } from './finding.ts';
import { keyOf } from './reference.ts';
import type { Rule } from './rule.ts';

/** A claim, with the rule that made it. */
export interface Spoken {
  readonly rule: Rule;
  readonly claim: Claim;
  readonly rank: number;
}

export interface Outcome {
  readonly winners: readonly Spoken[];
  /** What each winner beat. */
  readonly losers: ReadonlyMap<Spoken, readonly Spoken[]>;
}

/** Claims this strong are each proved by themselves: a container may well lack a ConfigMap and a Secret. */
const proved = 80;

/**
 * Of claims about the same place the strongest stays; so do equals that are proved. A claim about a whole pod competes with those about each
 * of its containers. A claim also loses against a stronger one that explains its subject (the pod of a dead node). Pure.
 */
export function compete(spoken: readonly Spoken[]): Outcome {
  const bySubject = new Map<string, Spoken[]>();
  for (const it of spoken) push(bySubject, keyOf(it.claim.subject), it);
  const explainers = new Map<string, Spoken[]>();
  for (const it of spoken) for (const ref of it.claim.explains ?? []) push(explainers, keyOf(ref), it);

  const order = new Map(spoken.map((it, i) => [it, i]));
  const before = (a: Spoken, b: Spoken): boolean => (order.get(a) ?? 0) < (order.get(b) ?? 0);
  const beatenBy = new Map<Spoken, Spoken>();
  for (const [key, rivals] of bySubject) {
    const outside = (explainers.get(key) ?? []).filter((it) => keyOf(it.claim.subject) !== key);
    for (const it of rivals) {
      const stronger =
        best(
          outside.filter(
            (other) =>
              other.rule !== it.rule && (other.rank > it.rank || (other.rank === it.rank && before(other, it))),
          ),
        ) ??
        best(rivals.filter((other) => other !== it && samePlace(other.claim, it.claim) && beats(other, it, before)));
      if (stronger) beatenBy.set(it, stronger);
    }
  }
  const losers = new Map<Spoken, Spoken[]>();
  for (const it of beatenBy.keys()) {
    const winner = final(it, beatenBy);
    if (winner && winner.rule !== it.rule) push(losers, winner, it);
  }
  return { winners: spoken.filter((it) => !beatenBy.has(it)), losers };
}

const samePlace = (a: Claim, b: Claim): boolean =>
  a.container === undefined || b.container === undefined || a.container === b.container;

function beats(a: Spoken, b: Spoken, before: (a: Spoken, b: Spoken) => boolean): boolean {
  if (a.rank !== b.rank) return a.rank > b.rank;
  if (a.rank >= proved || a.claim.subject.kind !== 'Pod') return false;
  return before(a, b);
}

const best = (list: readonly Spoken[]): Spoken | undefined =>
  list.reduce<Spoken | undefined>((top, it) => (!top || it.rank > top.rank ? it : top), undefined);

/** Follows who beat whom to the one that stands. */
function final(from: Spoken, beatenBy: ReadonlyMap<Spoken, Spoken>): Spoken | undefined {
  const seen = new Set<Spoken>();
  let at: Spoken | undefined = from;
  while (at && beatenBy.has(at)) {
    if (seen.has(at)) return undefined;
    seen.add(at);
    at = beatenBy.get(at);
  }
  return at;
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list) list.push(value);
  else map.set(key, [value]);
}
