import { nodes } from '../../../api/generated/resources.ts';
import { fromStatus } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

const slackMs = 60_000;

const isSilent = (snapshot: Snapshot, node: string | undefined): boolean =>
  snapshot.get(nodes, node ?? '')?.status?.conditions?.some((it) => it.type === 'Ready' && it.status === 'Unknown') ??
  false;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const { ref, pod, spec } of snapshot.troubled) {
    const { deletionTimestamp: since, finalizers = [] } = pod.metadata ?? {};
    if (!since || snapshot.now - Date.parse(since) < slackMs) continue;
    const own = finalizers.filter((it) => it !== 'foregroundDeletion' && it !== 'orphan');
    const [blocked, event] = [
      own.length > 0,
      snapshot
        .events(ref, pod.metadata?.uid)
        .find((it) => it.reason === 'FailedKillPod' || it.reason === 'FailedPreStopHook'),
    ];
    // A silent node is a finding of its own, which explains its pods.
    if (!blocked && isSilent(snapshot, spec.nodeName)) continue;
    yield {
      subject: ref,
      says: blocked
        ? `The pod ${ref.name} is to be gone since ${since}, but its finalizer ${own.join(', ')} has not been taken off by whoever set it.`
        : `The pod ${ref.name} is to be gone since ${since}${event ? `: ${event.message}` : `, and node ${spec.nodeName ?? ''} has not ended it`}.`,
      evidence: [
        fromStatus(
          ref,
          `deletionTimestamp ${since}${finalizers.length > 0 ? `, finalizers: ${finalizers.join(', ')}` : ''}`,
        ),
        ...(event ? [fromStatus(ref, `${event.reason}: ${event.message}`)] : []),
      ],
      because: spec.nodeName ? [{ kind: 'Node', name: spec.nodeName }] : [],
      rank: blocked ? 90 : 40,
      remedy: blocked
        ? {
            says: 'Repair the controller that owns the finalizer; take it off by hand only when that controller is gone for good.',
            commands: [
              `kubectl patch pod ${ref.name} -n ${ref.namespace} --type=json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`,
            ],
          }
        : {
            says: "See the kubelet's log on that node; delete by force only when the process is known to be gone.",
            commands: [
              `kubectl describe pod ${ref.name} -n ${ref.namespace}`,
              `kubectl delete pod ${ref.name} -n ${ref.namespace} --grace-period=0 --force`,
            ],
          },
    };
  }
}

export const stuckTerminating: Rule = {
  id: 'stuck-terminating',
  title: 'The pod does not go away',
  phase: 'controller',
  codes: ['CTL-25', 'CTL-28'],
  symptoms: ['Terminating', 'FailedKillPod', 'FailedPreStopHook'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning: 'A deleted pod goes when its containers have ended and all finalizers are taken off.',
  tell: 'Terminating long after its grace period. `metadata.finalizers` names whom it waits for; without any, it is the node.',
  fix: 'The owner of the finalizer, or the node.',
  sick: [
    {
      when: 'a finalizer is left',
      yaml: '\nkind: Pod\nmetadata: {name: web, deletionTimestamp: "2026-01-01T11:50:00Z", finalizers: [example.com/cleanup]}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Running}\n',
      says: 'example.com/cleanup',
    },
  ],
  healthy: [
    {
      when: 'it has just been deleted',
      yaml: '\nkind: Pod\nmetadata: {name: web, deletionTimestamp: "2026-01-01T11:59:40Z"}\nspec: {nodeName: n1, containers: [{name: app, image: nginx:1.27}]}\nstatus: {phase: Running}\n',
    },
  ],

  check,
};
