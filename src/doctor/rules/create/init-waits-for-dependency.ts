import { services } from '../../../api/generated/resources.ts';
import { fromAbsence, fromLog, fromSpec, fromStatus, listed, namesIn } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearestOne } from '../../text/nearest.ts';

/** An init container that works for longer than this probably waits. */
const patienceMs = 60_000;
const waiting =
  /\b(?:nslookup|getent hosts|dig|host|nc(?: -\w+)*|wget(?: -\S+)*|curl(?: -\S+)*|pg_isready -h|redis-cli -h|mysqladmin .*-h) +(?:https?:\/\/)?([a-z0-9][a-z0-9.-]*)/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const since = container.running?.startedAt;
      if (container.role !== 'init' || !since || snapshot.now - Date.parse(since) < patienceMs) continue;
      const line = [...(container.spec.command ?? []), ...(container.spec.args ?? [])].join(' ');
      const host = waiting.exec(line)?.[1];
      const name = host?.split('.')[0] ?? '';
      const namespace = host?.split('.')[1] ?? pod.namespace;
      const absent = host !== undefined && snapshot.lacks(services, name, namespace);
      const near = absent ? nearestOne(name, namesIn(snapshot, services, namespace)) : undefined;
      const [log] = snapshot.logs(pod, container.name);
      const last = log?.text.trim().split('\n').at(-1);
      yield {
        subject: pod.ref,
        container: container.name,
        says: absent
          ? `The init container ${container.name} waits for the Service ${name}, which does not exist in namespace ${namespace}${near ? ` (did you mean ${near}?)` : ''}; the pod does not begin until it is there.`
          : `The init container ${container.name} has been running for ${Math.round((snapshot.now - Date.parse(since)) / 1000)} s${host ? `, waiting for ${host}` : ''}; the pod does not begin until it ends.`,
        evidence: [
          fromStatus(pod.ref, `running since ${since}`, `initContainerStatuses[${container.name}].state.running`),
          ...(line ? [fromSpec(pod.ref, line, `spec.${container.path}.command`)] : []),
          ...(absent
            ? [fromAbsence({ kind: 'Service', namespace, name }, listed(namesIn(snapshot, services, namespace)))]
            : []),
          ...(log && last ? [fromLog(pod, container.name, log, last)] : []),
        ],
        certainty: absent ? 'certain' : 'likely',
        rank: absent ? 90 : 50,
        ...(host && !absent && { because: [{ kind: 'Service', namespace, name }] }),
        field: containerField(pod, container, 'command'),
        remedy: {
          says: absent
            ? `Create the Service ${name}, or correct the name.`
            : 'See what it waits for in its log and its command.',
          commands: [
            `kubectl logs ${pod.ref.name} -c ${container.name} -n ${pod.namespace}`,
            ...(host ? [`kubectl get service,endpointslices -n ${namespace}`] : []),
          ],
          verify: watchCommand(pod),
        },
      };
    }
}

const yaml = `
kind: Pod
metadata: {name: web}
spec:
  nodeName: n1
  initContainers: [{name: wait, image: busybox:1.36, command: [sh, -c, "until nslookup db; do sleep 2; done"]}]
  containers: [{name: app, image: nginx:1.27}]
status:
  phase: Pending
  conditions: [{type: Initialized, status: "False", reason: ContainersNotInitialized}]
  initContainerStatuses: [{name: wait, image: busybox:1.36, ready: false, restartCount: 0, state: {running: {startedAt: "2026-01-01T11:51:00Z"}}}]
  containerStatuses: [{name: app, image: nginx:1.27, ready: false, restartCount: 0, state: {waiting: {reason: PodInitializing}}}]
`;

export const initWaitsForDependency: Rule = {
  id: 'init-waits-for-dependency',
  title: 'An init container waits for something that is not there',
  phase: 'create',
  codes: ['CRT-33'],
  symptoms: ['Init:0/1', 'PodInitializing'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'Init containers often wait for a database or another Service in a loop. The pod stays at `Init:0/1` for as long as it is not there, without an error.',
  tell: 'The init container *runs* (it does not crash); its command is a loop, its log repeats.',
  fix: 'Bring what it waits for, or correct the name in the command.',
  sick: [
    { when: 'it waits for a Service that does not exist', yaml, says: 'waits for the Service db' },
    {
      when: 'a Service of nearly that name exists',
      yaml: `${yaml}---\nkind: Service\nmetadata: {name: db1}\nspec: {clusterIP: 10.96.0.9, ports: [{port: 5432}]}\n`,
      says: 'did you mean db1',
    },
  ],
  healthy: [{ when: 'it has only just begun', yaml: yaml.replace('11:51:00', '11:59:50') }],
  fault: {
    manifest:
      '\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec:\n      initContainers: [{name: wait, image: busybox:1.36, command: [sh, -c, "until nslookup db; do sleep 2; done"]}]\n      containers: [{name: app, image: nginx:1.27}]\n',
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 65,
  },
  check,
};
