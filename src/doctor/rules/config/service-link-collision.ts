import { services } from '../../../api/generated/resources.ts';
import { fromLog, fromSpec, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';

const pattern = /tcp:\/\/\d{1,3}(?:\.\d{1,3}){3}:\d+/;
const prefix = (name: string): string => name.toUpperCase().replaceAll('-', '_');

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled) {
    if (pod.spec.enableServiceLinks === false) continue;
    for (const container of pod.containers) {
      const line = logLine(snapshot, pod, container.name, pattern);
      const [url = ''] = line?.match ?? [];
      const service =
        line &&
        snapshot
          .in(services, pod.namespace)
          .find((it) => it.spec?.clusterIP && url.includes(`//${it.spec.clusterIP}:`));
      if (!line || !service) continue;
      const name = service.metadata?.name ?? '';
      const variable = `${prefix(name)}_PORT`;
      if (container.spec.env?.some((it) => it.name === variable)) continue;
      const change = editPodSpec(snapshot, pod, [{ path: ['enableServiceLinks'], value: false }]);
      yield {
        subject: pod.ref,
        container: container.name,
        says: `Container ${container.name} reads ${variable}=${url}, which Kubernetes sets for Service ${name}, as if it were its own setting.`,
        evidence: [
          fromLog(pod, container.name, line.log, line.line),
          fromSpec(
            { kind: 'Service', namespace: pod.namespace, name },
            `clusterIP: ${service.spec?.clusterIP}`,
            'spec.clusterIP',
          ),
        ],
        certainty: 'likely',
        field: fieldOf(pod, 'enableServiceLinks'),
        remedy: {
          says: 'Turn the variables of Services off for this pod (DNS does their work), or give the Service another name.',
          commands: change ? [commandOf(change)] : [],
          ...(change && { actions: [change] }),
          verify: watchCommand(pod),
        },
      };
    }
  }
}

const log = 'invalid port: strconv.Atoi: parsing "tcp://10.96.0.20:6379": invalid syntax\n';
const service = '---\nkind: Service\nmetadata: {name: redis}\nspec: {clusterIP: 10.96.0.20, ports: [{port: 6379}]}\n';

export const serviceLinkCollision: Rule = {
  id: 'service-link-collision',
  title: 'A Service’s automatic variable overrides a program’s setting',
  phase: 'config',
  codes: ['CFG-20'],
  symptoms: ['REDIS_PORT=tcp://10.0.0.5:6379'],
  severity: 'error',
  lint: 'never',
  rank: 80,
  meaning:
    'For each Service of the namespace, Kubernetes sets variables such as `REDIS_PORT=tcp://IP:6379` in every container, as Docker links did. A program that reads a setting of that name gets a URL where it expects a number.',
  tell: 'A text of the form `tcp://IP:PORT` in an error about a setting, with the address of a Service.',
  fix: '`enableServiceLinks: false` in the pod.',
  sick: [{ when: 'the program stumbles over it', yaml: crashingPod({ exit: 1, log }) + service, says: 'REDIS_PORT' }],
  healthy: [
    { when: 'the program does not mind', yaml: healthyPod() + service.replace('spec: {', 'spec: {selector: {}, ') },
  ],
  check,
};
