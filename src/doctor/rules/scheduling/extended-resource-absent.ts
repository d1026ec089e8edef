import { nodes } from '../../../api/generated/resources.ts';
import { compareQuantity, formatQuantity } from '../../../api/quantity.ts';
import { computed, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { nodeExample, noneOf, pendingExample, placementFault } from './example.ts';
import { pendingClaim, pendingFor } from './pending.ts';
import { amounts, most, zero } from './room.ts';

/** Names of resources with a domain: what device plugins offer. */
export const extended = /^Insufficient ([\w.-]+\/[\w.-]+)$/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingFor(snapshot, extended)) {
    const resource = it.match[1] ?? '';
    const offered = most(snapshot, resource, 'allocatable');
    if (!snapshot.sees(nodes) || (offered && compareQuantity(offered.amount, zero) > 0)) continue;
    const names = [
      ...new Set(snapshot.all(nodes).flatMap((node) => Object.keys(node.status?.allocatable ?? {}))),
    ].filter((name) => name.includes('/'));
    const near = nearestOne(resource, names);
    const container = it.pod.containers.find(
      (c) => c.spec.resources?.limits?.[resource] ?? c.spec.resources?.requests?.[resource],
    );
    const path = `${container?.path ?? 'containers[0]'}.resources.limits['${resource}']`;
    yield pendingClaim(it, {
      says: `The pod asks for ${formatQuantity(amounts(it.pod)[resource] ?? zero)} of ${resource}, which no node offers${near ? ` (did you mean ${near}?)` : ''}.`,
      evidence: [
        fromSpec(it.pod.ref, `${resource}: ${formatQuantity(amounts(it.pod)[resource] ?? zero)}`, `spec.${path}`),
        computed(it.pod.ref, `extended resources that nodes offer: ${listed(names)}`),
      ],
      cause: `absent/${resource}`,
      field: fieldOf(it.pod, path),
      remedy: {
        says: near
          ? `Ask for ${near}, or install the device plugin that offers ${resource}.`
          : `Install the device plugin that offers ${resource} on nodes that have the device, or remove the request.`,
        commands: [
          'kubectl get nodes -o json | jq ".items[] | {name: .metadata.name, allocatable: .status.allocatable}"',
          'kubectl get daemonsets -A',
        ],
      },
    });
  }
}

const gpu = '    resources: {limits: {nvidia.com/gpu: "1"}, requests: {nvidia.com/gpu: "1"}}';

export const extendedResourceAbsent: Rule = {
  id: 'extended-resource-absent',
  title: 'No node offers the extended resource',
  phase: 'scheduling',
  codes: ['SCH-05'],
  symptoms: ['FailedScheduling', 'Insufficient nvidia.com/gpu'],
  severity: 'error',
  lint: 'cluster',
  rank: 90,
  meaning:
    'GPUs and other devices are offered by device plugins. No node has this resource among its `allocatable`: the plugin does not run, found no device, or the name is wrong.',
  tell: '`Insufficient NAME` while no node lists NAME in `status.allocatable`, or lists 0.',
  fix: 'Install or repair the device plugin, add nodes that have the device, or correct the name.',
  sick: [
    {
      when: 'no node has a GPU',
      yaml: nodeExample('n1') + pendingExample(noneOf(1, '1 Insufficient nvidia.com/gpu'), { container: gpu }),
      says: 'nvidia.com/gpu, which no node offers',
    },
  ],
  healthy: [],
  fault: {
    manifest: placementFault('', '        resources: {limits: {nvidia.com/gpu: "1"}}'),
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
