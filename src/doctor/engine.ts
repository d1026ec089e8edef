import { compete, type Spoken } from './compete.ts';
import type { Consequence, Diagnosis, Finding, Severity, Unseen } from './finding.ts';
import { link } from './link.ts';
import { keyOf, type Reference, sameReference } from './reference.ts';
import type { Phase, Rule } from './rule.ts';
import type { PodFacts } from './snapshot/pod-facts.ts';
import type { Snapshot } from './snapshot/snapshot.ts';

/** More claims of one rule say nothing new; the pods beyond are counted as unexplained. */
const mostClaims = 20_000;
/** A pod that has been on its way for less than this is not called unexplained (milliseconds). */
const patienceMs = 60_000;

/** Applies the rules to the picture: root causes first, each once, with what follows from it. Pure. */
export function diagnose(snapshot: Snapshot, rules: readonly Rule[]): Diagnosis {
  const unseen: Unseen[] = [...snapshot.unseen];
  const spoken = rules.flatMap((rule) => listen(snapshot, rule, unseen));
  const { winners, losers } = compete(spoken);
  const findings = link(group(snapshot, winners, losers));
  return {
    findings: [...findings].sort(byImportance),
    unseen,
    looked: {
      pods: snapshot.pods.length,
      troubled: snapshot.troubled.length,
      objects: snapshot.pods.length,
    },
    unexplained: unexplained(snapshot, findings),
    at: snapshot.now,
  };
}

function listen(snapshot: Snapshot, rule: Rule, unseen: Unseen[]): readonly Spoken[] {
  const heard: Spoken[] = [];
  try {
    for (const claim of rule.check(snapshot)) {
      if (heard.length >= mostClaims) {
        unseen.push({
          what: `more than ${mostClaims} cases of ${rule.id}`,
          why: 'failed',
          message: 'not all are shown',
        });
        break;
      }
      heard.push({ rule, claim, rank: claim.rank ?? rule.rank });
    }
  } catch (error) {
    // One broken rule must not silence the others; that it is broken is told.
    unseen.push({
      what: `the rule ${rule.id}`,
      why: 'failed',
      message: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
    return [];
  }
  return heard;
}

/** What the claim is grouped by: its cause, else the workload of its pod. */
const causeOf = (snapshot: Snapshot, { rule, claim }: Spoken): string =>
  `${rule.id}|${claim.cause ?? `${keyOf(snapshot.pod(claim.subject)?.workload ?? claim.subject)}|${claim.container ?? ''}`}`;

/** Merges claims of one cause, and hangs the losers below what they lost against. */
function group(
  snapshot: Snapshot,
  winners: readonly Spoken[],
  losers: ReadonlyMap<Spoken, readonly Spoken[]>,
): readonly Finding[] {
  const groups = new Map<string, Spoken[]>();
  for (const it of winners) {
    const key = causeOf(snapshot, it);
    const list = groups.get(key);
    if (list) list.push(it);
    else groups.set(key, [it]);
  }
  return [...groups.values()].map((list) => merged(list, losers));
}

function merged(list: readonly Spoken[], losers: ReadonlyMap<Spoken, readonly Spoken[]>): Finding {
  // The first of the strongest speaks for all.
  const best = list.reduce((a, b) => (b.rank > a.rank ? b : a));
  const { rule, claim } = best;
  const affected = new Map(list.map((it) => [keyOf(it.claim.subject), it.claim.subject]));
  affected.delete(keyOf(claim.subject));
  const explains = list.flatMap((it) => it.claim.explains ?? []);
  const because = list.flatMap((it) => it.claim.because ?? []);
  return {
    ...claim,
    rule: rule.id,
    title: rule.title,
    phase: rule.phase,
    severity: claim.severity ?? rule.severity,
    certainty: claim.certainty ?? 'certain',
    rank: best.rank,
    cause: claim.cause ?? '',
    affected: [claim.subject, ...affected.values()],
    ...(explains.length > 0 && { explains }),
    ...(because.length > 0 && { because }),
    consequences: tally(list.flatMap((it) => losers.get(it) ?? [])),
  };
}

/** Counts alike consequences instead of listing each. */
function tally(list: readonly Spoken[]): readonly Consequence[] {
  const counts = new Map<string, Consequence>();
  for (const { rule, claim } of list) {
    const known = counts.get(rule.id);
    counts.set(
      rule.id,
      known
        ? { ...known, affected: known.affected + 1 }
        : { rule: rule.id, subject: claim.subject, says: claim.says, affected: 1 },
    );
  }
  return [...counts.values()];
}

const severities: readonly Severity[] = ['error', 'warning', 'info'];
/** The wider the cause, the earlier: a dead node before a crashing pod. */
const phases: readonly Phase[] = [
  'node',
  'network',
  'storage',
  'admission',
  'scheduling',
  'config',
  'image',
  'create',
  'run',
  'probe',
  'controller',
];

const weight = (it: Finding): number => it.affected.length + it.consequences.reduce((sum, c) => sum + c.affected, 0);

function byImportance(a: Finding, b: Finding): number {
  return (
    severities.indexOf(a.severity) - severities.indexOf(b.severity) ||
    weight(b) - weight(a) ||
    b.rank - a.rank ||
    phases.indexOf(a.phase as Phase) - phases.indexOf(b.phase as Phase) ||
    (keyOf(a.subject) + a.rule < keyOf(b.subject) + b.rule ? -1 : 1)
  );
}

function unexplained(snapshot: Snapshot, findings: readonly Finding[]): readonly Reference[] {
  if (snapshot.stage === 'manifests') return [];
  const told = new Set(
    findings.flatMap((it) =>
      [...it.affected, ...(it.explains ?? []), ...it.consequences.map((c) => c.subject)].map(keyOf),
    ),
  );
  return snapshot.troubled.filter((it) => !told.has(keyOf(it.ref)) && isLate(it, snapshot.now)).map((it) => it.ref);
}

function isLate(it: PodFacts, now: number): boolean {
  const since = it.pod.metadata?.deletionTimestamp ?? it.pod.metadata?.creationTimestamp;
  return since === undefined || now - Date.parse(since) > patienceMs;
}

/** Those findings that are about the target, about what belongs to it, or about what these depend on. */
export function concerning(diagnosis: Diagnosis, snapshot: Snapshot, target: Reference): Diagnosis {
  const own = new Set([keyOf(target)]);
  const pods = snapshot.pods.filter((it) => belongs(snapshot, it, target));
  for (const it of pods) {
    own.add(keyOf(it.ref));
    own.add(keyOf(it.workload));
    for (const owner of it.pod.metadata?.ownerReferences ?? [])
      own.add(keyOf({ kind: owner.kind, namespace: it.namespace, name: owner.name }));
  }
  const touches = (claim: Finding): boolean =>
    (target.kind === 'Namespace' && claim.affected.some((it) => it.namespace === target.name)) ||
    [...claim.affected, ...(claim.explains ?? []), ...claim.consequences.map((it) => it.subject)].some((it) =>
      own.has(keyOf(it)),
    );
  return {
    ...diagnosis,
    findings: diagnosis.findings.filter(touches),
    unexplained: diagnosis.unexplained.filter((it) => own.has(keyOf(it))),
    looked: {
      ...diagnosis.looked,
      pods: pods.length,
      troubled: snapshot.troubled.filter((it) => own.has(keyOf(it.ref))).length,
    },
  };
}

function belongs(snapshot: Snapshot, pod: PodFacts, target: Reference): boolean {
  if (target.kind === 'Node') return pod.spec.nodeName === target.name;
  if (target.kind === 'Namespace') return pod.namespace === target.name;
  if (pod.namespace !== (target.namespace ?? pod.namespace)) return false;
  if (sameReference(pod.ref, target) || sameReference(pod.workload, target)) return true;
  if (pod.pod.metadata?.ownerReferences?.some((it) => it.kind === target.kind && it.name === target.name)) return true;
  if (target.kind !== 'Service') return false;
  const selector = (snapshot.find(target) as { spec?: { selector?: Readonly<Record<string, string>> } } | undefined)
    ?.spec?.selector;
  if (!selector || Object.keys(selector).length === 0) return false;
  const labels = pod.pod.metadata?.labels ?? {};
  return Object.entries(selector).every(([key, value]) => labels[key] === value);
}

/** Findings that make `why` exit 1; the others are worth knowing only. */
export const isBad = (it: Finding): boolean => it.severity !== 'info';
