import { apiservices, namespaces } from '../../../api/generated/resources.ts';
import { fromCondition } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

const types = [
  'NamespaceDeletionDiscoveryFailure',
  'NamespaceDeletionGroupVersionParsingFailure',
  'NamespaceDeletionContentFailure',
  'NamespaceContentRemaining',
  'NamespaceFinalizersRemaining',
];

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of snapshot.all(namespaces)) {
    const name = it.metadata?.name ?? '';
    const conditions = (it.status?.conditions ?? []).filter((c) => types.includes(c.type) && c.status === 'True');
    if (it.status?.phase !== 'Terminating' || conditions.length === 0) continue;
    const ref = { kind: 'Namespace', name };
    const broken = snapshot
      .all(apiservices)
      .filter((api) => api.status?.conditions?.some((c) => c.type === 'Available' && c.status === 'False'));
    const finalizers = conditions.find((c) => c.type === 'NamespaceFinalizersRemaining');
    const discovery = conditions.find((c) => c.type === 'NamespaceDeletionDiscoveryFailure');
    yield {
      subject: ref,
      says: discovery
        ? `The namespace ${name} cannot be deleted, since the API server cannot list all kinds: ${broken.map((api) => api.metadata?.name).join(', ') || 'an aggregated API'} does not answer.`
        : `The namespace ${name} is not gone yet: ${(finalizers ?? conditions[0])?.message?.replace(/\.$/, '')}.`,
      evidence: conditions.map((c) => fromCondition(ref, c.type, c.message ?? c.reason ?? '')),
      because: broken.map((api) => ({ kind: 'APIService', name: api.metadata?.name ?? '' })),
      remedy: {
        says: discovery
          ? 'Repair the API, or delete its APIService if it is gone for good.'
          : 'Let the owner of the finalizer do its work, or take it off when its controller is gone.',
        commands: [
          ...broken
            .slice(0, 2)
            .map((api) => `kubectl delete apiservice ${api.metadata?.name}   # only if it is gone for good`),
          `kubectl api-resources --verbs=list --namespaced -o name | xargs -n 1 kubectl get -n ${name} --ignore-not-found --show-kind`,
        ],
        verify: `kubectl get namespace ${name}`,
      },
    };
  }
}

export const namespaceStuck: Rule = {
  id: 'namespace-stuck',
  title: 'The namespace does not go away',
  phase: 'controller',
  codes: ['CTL-26'],
  symptoms: [
    'Terminating',
    'NamespaceDeletionDiscoveryFailure',
    'NamespaceFinalizersRemaining',
    'NamespaceContentRemaining',
  ],
  severity: 'warning',
  lint: 'never',
  rank: 88,
  meaning:
    'A namespace goes when everything in it is gone. Something in it has a finalizer that nobody takes off, or an API whose server is down keeps it from being listed.',
  tell: '`status.conditions` of the namespace say which.',
  fix: 'The API or the owner of the finalizer.',
  sick: [
    {
      when: 'finalizers remain',
      yaml: '\nkind: Namespace\nmetadata: {name: shop, deletionTimestamp: "2026-01-01T11:50:00Z"}\nstatus: {phase: Terminating, conditions: [{type: NamespaceFinalizersRemaining, status: "True", reason: SomeFinalizersRemain, message: "Some content in the namespace has finalizers remaining: example.com/x in 1 resource instances"}]}\n',
      says: 'example.com/x',
    },
  ],
  healthy: [],
  check,
};
