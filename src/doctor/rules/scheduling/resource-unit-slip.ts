import { quantityNumber, tryParseQuantity } from '../../../api/quantity.ts';
import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, editPodSpec } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { workloadArguments } from './pending.ts';

const mebibyte = 1 << 20;
/** Whole CPUs from here on are taken for thousandths. */
const fewestSlipped = 100;

/** What was meant by an amount that cannot be meant; undefined where it can. */
function meant(resource: string, text: string): string | undefined {
  const amount = tryParseQuantity(text);
  if (!amount) return undefined;
  const value = quantityNumber(amount);
  if (value <= 0) return undefined;
  const digits = /^\d+(?:\.\d+)?/.exec(text)?.[0] ?? '';
  if (resource === 'memory' || resource === 'ephemeral-storage') {
    if (/^\d+m$/.test(text)) return `${digits}Mi`;
    if (/^\d+$/.test(text) && value < mebibyte) return `${digits}Mi`;
    return undefined;
  }
  return resource === 'cpu' && /^\d+$/.test(text) && value >= fewestSlipped ? `${digits}m` : undefined;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers)
      for (const list of ['requests', 'limits'] as const)
        for (const [resource, text] of Object.entries(container.spec.resources?.[list] ?? {})) {
          const better = meant(resource, String(text));
          if (better === undefined) continue;
          const path = ['resources', list, resource];
          const change = editPodSpec(snapshot, pod, [{ path, value: better, was: text }], container.name);
          const why =
            resource === 'cpu'
              ? `${text} whole CPUs`
              : /m$/.test(String(text))
                ? `${text} is in thousandths of a byte`
                : `only ${text} bytes`;
          yield {
            subject: pod.ref,
            container: container.name,
            says: `Container ${container.name} has a ${list === 'limits' ? 'limit' : 'request'} of ${text} for ${resource}, which is ${why}; ${better} is meant, it seems.`,
            evidence: [
              fromSpec(pod.ref, `${resource}: ${text}`, `spec.${container.path}.resources.${list}.${resource}`),
            ],
            certainty: 'likely',
            field: containerField(pod, container, `resources.${list}.${resource}`),
            remedy: {
              says: `Write ${better}.`,
              commands: [
                `kubectl set resources ${workloadArguments(pod)} -c ${container.name} --${list}=${resource}=${better}`,
              ],
              ...(change && { actions: [change] }),
            },
          };
        }
}

const planned = (resources: string): string => `
kind: Deployment
metadata: {name: web}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec: {containers: [{name: app, image: nginx:1.27, resources: {${resources}}}]}
`;

export const resourceUnitSlip: Rule = {
  id: 'resource-unit-slip',
  title: 'The unit of a request or limit is a slip',
  phase: 'scheduling',
  codes: ['SCH-03'],
  symptoms: ['Insufficient cpu', 'OOMKilled', 'StartError'],
  severity: 'error',
  lint: 'manifest',
  rank: 95,
  meaning:
    'Amounts carry a unit: `m` means thousandths, `Mi` mebibytes. `512m` of memory is half a byte, `512` is 512 bytes, and `500` CPUs are five hundred whole processors.',
  tell: 'The amount makes no sense for any container: memory below a mebibyte, or hundreds of whole CPUs.',
  fix: 'Write `512Mi` for memory and `500m` for half a CPU.',
  sick: [
    {
      when: 'memory is given in thousandths',
      stage: 'manifests',
      yaml: planned('limits: {memory: 512m}'),
      says: '512Mi is meant',
    },
    {
      when: 'CPUs lack their unit',
      stage: 'manifests',
      yaml: planned('requests: {cpu: "500"}'),
      says: '500m is meant',
      also: ['request-exceeds-every-node'],
    },
  ],
  healthy: [
    {
      when: 'the units are right',
      stage: 'manifests',
      yaml: planned('requests: {cpu: 500m, memory: 512Mi}, limits: {memory: 1Gi}'),
    },
  ],
  fault: {
    manifest: `apiVersion: apps/v1${planned('requests: {cpu: "500"}')}`,
    runtimes: ['sim', 'containerd'],
    fixable: true,
  },
  check,
};
