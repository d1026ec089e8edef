import { systemClock } from '../src/base/clock.ts';
import { type HttpsClient, httpsClient } from '../src/client/https-client.ts';
import { clientConfig, loadKubeconfig } from '../src/client/kubeconfig.ts';
import { concerning, diagnose, isBad } from '../src/doctor/engine.ts';
import { type FaultyRule, faultNamespace, startFault, stopFault } from '../src/doctor/faults/faults.ts';
import type { Finding } from '../src/doctor/finding.ts';
import { applyFix } from '../src/doctor/fix/apply.ts';
import { logReader } from '../src/doctor/look.ts';
import { allRules } from '../src/doctor/rules/index.ts';
import { collectSnapshot } from '../src/doctor/snapshot/collect.ts';
import type { Snapshot } from '../src/doctor/snapshot/snapshot.ts';

/** How one fault was judged. */
export interface Verdict {
  readonly id: string;
  readonly codes: readonly string[];
  /** The first finding is of the fault's own rule. */
  readonly top: boolean;
  /** What was found first instead. */
  readonly instead?: string;
  /** Each object that the evidence quotes exists, or is rightly said not to. */
  readonly evidence: boolean;
  /** After the repair all was healthy; undefined: only a person can repair it. */
  readonly fixed?: boolean;
  readonly error?: string;
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const atOnce = 8;
/** How long a fault may take to show, and a repair to work, milliseconds. */
const showWithinMs = 20_000;
const fixWithinMs = 40_000;

/** Provokes each fault on the cluster, a few at a time, and judges what `why` says. */
export async function judgeFaults(
  kubeconfig: string,
  faults: readonly FaultyRule[],
  onVerdict: (verdict: Verdict) => void,
): Promise<readonly Verdict[]> {
  const config = await clientConfig(await loadKubeconfig({ path: kubeconfig }), { clock: systemClock });
  const client = httpsClient(config);
  const verdicts: Verdict[] = [];
  const queue = [...faults];
  try {
    while (queue.length > 0) {
      const batch = queue.splice(0, atOnce);
      for (const verdict of await judgeBatch(client, batch)) {
        verdicts.push(verdict);
        onVerdict(verdict);
      }
      await Promise.all(
        batch.map((it) =>
          stopFault(client, systemClock, it).catch((error: Error) => console.error(`stop ${it.id}: ${error.message}`)),
        ),
      );
    }
  } finally {
    client.close();
  }
  return verdicts;
}

const picture = (client: HttpsClient): Promise<Snapshot> =>
  collectSnapshot({ client, logs: logReader(client), namespace: 'default', now: Date.now() });

const findingsOf = (snapshot: Snapshot, id: string): readonly Finding[] =>
  concerning(diagnose(snapshot, allRules), snapshot, { kind: 'Namespace', name: faultNamespace(id) }).findings;

async function judgeBatch(client: HttpsClient, batch: readonly FaultyRule[]): Promise<readonly Verdict[]> {
  const failed = new Map<string, string>();
  await Promise.all(
    batch.map((it) =>
      startFault(client, systemClock, it).catch((error: Error) => {
        failed.set(it.id, error.message);
      }),
    ),
  );
  const patience = Math.max(showWithinMs, ...batch.map((it) => (it.fault.patienceSeconds ?? 0) * 1000 + 5000));
  const end = performance.now() + patience;
  const settled = new Map<string, { readonly findings: readonly Finding[]; readonly snapshot: Snapshot }>();
  let last: Snapshot | undefined;
  while (performance.now() < end && settled.size + failed.size < batch.length) {
    await pause(1000);
    last = await picture(client);
    for (const { id } of batch) {
      if (settled.has(id) || failed.has(id)) continue;
      const findings = findingsOf(last, id);
      if (findings[0]?.rule === id) settled.set(id, { findings, snapshot: last });
    }
  }
  return Promise.all(
    batch.map(async (it): Promise<Verdict> => {
      const { id, codes, fault } = it;
      const error = failed.get(id);
      if (error !== undefined) return { id, codes, top: false, evidence: false, error };
      const found = settled.get(id);
      const findings = found?.findings ?? (last ? findingsOf(last, id) : []);
      const [first] = findings;
      const verdict = {
        id,
        codes,
        top: found !== undefined,
        evidence: first !== undefined && verified(first, found?.snapshot ?? last),
        ...(!found && { instead: first?.rule ?? 'nothing' }),
      };
      if (!found || !fault.fixable) return verdict;
      return { ...verdict, fixed: await fixes(client, id, first) };
    }),
  );
}

/** Whether what the finding quotes is there to be seen. */
function verified({ evidence }: Finding, snapshot: Snapshot | undefined): boolean {
  return (
    evidence.length > 0 &&
    evidence.every(({ source, text }) => {
      if (!snapshot || text.trim() === '') return false;
      const there =
        snapshot.find(source.object) !== undefined ||
        (source.object.kind === 'Secret' &&
          snapshot.secret(source.object.namespace ?? '', source.object.name) !== undefined);
      return source.kind === 'absence' ? !there : there;
    })
  );
}

async function fixes(client: HttpsClient, id: string, finding: Finding | undefined): Promise<boolean> {
  const actions = finding?.remedy.actions ?? [];
  if (actions.length === 0) return false;
  for (const action of actions) await applyFix(client, systemClock, action);
  const end = performance.now() + fixWithinMs;
  while (performance.now() < end) {
    await pause(1500);
    const snapshot = await picture(client);
    const pods = snapshot.podsIn(faultNamespace(id)).filter((it) => !it.pod.metadata?.deletionTimestamp);
    const well = pods.every(
      (it) =>
        it.pod.status?.phase === 'Succeeded' ||
        it.pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True'),
    );
    if (pods.length > 0 && well && !findingsOf(snapshot, id).some(isBad)) return true;
  }
  return false;
}
