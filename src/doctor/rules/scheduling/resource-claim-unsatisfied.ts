import { resourceclaims } from '../../../api/generated/resources.ts';
import { computed, fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodeExample, noneOf, pendingExample } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';

const texts =
  /^(?:resourceclaim "([^"]+)" not found|cannot allocate all claims|waiting for dynamic resource controller.*|waiting for resource claim.*|.*resourceclaims?.*)$/i;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, texts)) {
    const claims = it.pod.spec.resourceClaims ?? [];
    const names = claims.map((c) => c.resourceClaimName ?? c.resourceClaimTemplateName ?? c.name);
    const missing = it.match[1];
    yield pendingClaim(it, {
      says: missing
        ? `The pod needs the resource claim ${missing}, which does not exist.`
        : `The devices that the pod claims (${names.join(', ')}) cannot be had: ${it.clause.text}.`,
      evidence: [
        ...(names.length > 0
          ? [fromSpec(it.pod.ref, `resourceClaims: ${names.join(', ')}`, 'spec.resourceClaims')]
          : []),
        ...snapshot
          .in(resourceclaims, it.pod.namespace)
          .slice(0, 5)
          .map((c) =>
            computed(
              { kind: 'ResourceClaim', namespace: it.pod.namespace, name: c.metadata?.name ?? '' },
              `${c.metadata?.name}: ${c.status?.allocation ? 'allocated' : 'not allocated'}`,
            ),
          ),
      ],
      field: fieldOf(it.pod, 'resourceClaims'),
      remedy: {
        says: missing
          ? 'Create the claim (or its template), or correct the name.'
          : 'See that a driver publishes such devices (ResourceSlices), that a DeviceClass selects them, and that some are free.',
        commands: [`kubectl get resourceclaims -n ${it.pod.namespace}`, 'kubectl get deviceclasses,resourceslices'],
      },
    });
  }
}

export const resourceClaimUnsatisfied: Rule = {
  id: 'resource-claim-unsatisfied',
  title: 'The claimed devices cannot be had',
  phase: 'scheduling',
  codes: ['SCH-36'],
  symptoms: ['FailedScheduling', 'resourceclaim "…" not found', 'cannot allocate all claims'],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'With dynamic resource allocation a pod claims devices by ResourceClaims. The claim is missing, or no published device that is free fits it.',
  tell: 'The text names the claim, or says that claims cannot be allocated.',
  fix: 'Create the claim; install the driver; free a device.',
  sick: [
    {
      when: 'the claim is not there',
      yaml:
        nodeExample('n1') +
        pendingExample(noneOf(1, 'resourceclaim "gpu" not found'), {
          spec: '  resourceClaims: [{name: gpu, resourceClaimName: gpu}]',
        }),
      says: 'resource claim gpu',
    },
  ],
  healthy: [],
  check,
};
