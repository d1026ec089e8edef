import { services, statefulsets } from '../../../api/generated/resources.ts';
import { fromAbsence, fromSpec, listed, namesIn } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';
import { serviceExample } from './services.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of snapshot.all(statefulsets)) {
    const namespace = it.metadata?.namespace ?? 'default';
    const ref = { kind: 'StatefulSet', namespace, name: it.metadata?.name ?? '' };
    const name = it.spec?.serviceName;
    if (!name) continue;
    const service = snapshot.get(services, name, namespace);
    const absent = snapshot.lacks(services, name, namespace);
    if (!absent && (!service || service.spec?.clusterIP === 'None' || service.spec?.clusterIP === undefined)) continue;
    const near = absent ? nearestOne(name, namesIn(snapshot, services, namespace)) : undefined;
    yield {
      subject: ref,
      says: absent
        ? `The StatefulSet ${ref.name} names the Service ${name} for its pods' addresses, which does not exist${near ? ` (did you mean ${near}?)` : ''}: ${ref.name}-0.${name} cannot be found.`
        : `The Service ${name} of StatefulSet ${ref.name} is not headless, so ${ref.name}-0.${name} cannot be found.`,
      evidence: [
        fromSpec(ref, `serviceName: ${name}`, 'spec.serviceName'),
        absent
          ? fromAbsence({ kind: 'Service', namespace, name }, listed(namesIn(snapshot, services, namespace)))
          : fromSpec({ kind: 'Service', namespace, name }, `clusterIP: ${service?.spec?.clusterIP}`, 'spec.clusterIP'),
      ],
      field: { object: ref, path: 'spec.serviceName' },
      remedy: {
        says: `Create a headless Service ${name} (clusterIP: None) that selects its pods.`,
        commands: [
          `kubectl create service clusterip ${name} --clusterip=None -n ${namespace}   # then set its selector to that of the StatefulSet`,
        ],
      },
    };
  }
}

const set =
  '\nkind: StatefulSet\nmetadata: {name: db}\nspec: {replicas: 0, serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: app, image: nginx:1.27}]}}}\n';

export const headlessServiceMissing: Rule = {
  id: 'headless-service-missing',
  title: "The StatefulSet's Service is missing, or not headless",
  phase: 'network',
  codes: ['NET-18'],
  symptoms: ['no such host', 'NXDOMAIN'],
  severity: 'warning',
  lint: 'set',
  rank: 85,
  meaning:
    'Names such as `db-0.db` come from the headless Service that `serviceName` names. Nobody makes it by itself, and nothing warns when it is absent.',
  tell: 'There is no Service of that name, or it has a cluster address.',
  fix: 'A Service with `clusterIP: None` and the selector of the StatefulSet.',
  sick: [{ when: 'there is no such Service', yaml: set, says: 'db-0.db cannot be found' }],
  healthy: [
    {
      when: 'it is there and headless',
      yaml: set + serviceExample('db', 'ports: [{port: 5432}]').replace('10.96.0.9', 'None'),
    },
  ],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db}\nspec: {serviceName: db, selector: {matchLabels: {app: db}}, template: {metadata: {labels: {app: db}}, spec: {containers: [{name: app, image: "nginx:1.27"}]}}}\n',
    runtimes: ['sim', 'containerd'],
    fixable: false,
  },
  check,
};
