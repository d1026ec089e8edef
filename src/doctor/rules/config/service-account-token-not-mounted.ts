import { serviceaccounts } from '../../../api/generated/resources.ts';
import { fromLog, fromSpec, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { commandOf, editPodSpec, fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';

const pattern =
  /\/var\/run\/secrets\/kubernetes\.io\/serviceaccount\/(?:token|ca\.crt|namespace)['"]?: no such file or directory|No such file or directory: '\/var\/run\/secrets\/kubernetes\.io\/serviceaccount|unable to load in-cluster configuration/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const line = logLine(snapshot, pod, container.name, pattern);
      if (!line) continue;
      const name = pod.spec.serviceAccountName ?? 'default';
      const account = snapshot.get(serviceaccounts, name, pod.namespace);
      const byPod = pod.spec.automountServiceAccountToken === false;
      if (!byPod && (pod.spec.automountServiceAccountToken === true || account?.automountServiceAccountToken !== false))
        continue;
      const change = editPodSpec(snapshot, pod, [{ path: ['automountServiceAccountToken'], value: true }]);
      yield {
        subject: pod.ref,
        container: container.name,
        says: `Container ${container.name} wants to talk to the API server, but its token is not mounted: ${byPod ? 'the pod' : `ServiceAccount ${name}`} says automountServiceAccountToken: false.`,
        evidence: [
          fromLog(pod, container.name, line.log, line.line),
          fromSpec(
            byPod ? pod.ref : { kind: 'ServiceAccount', namespace: pod.namespace, name },
            'automountServiceAccountToken: false',
            byPod ? 'spec.automountServiceAccountToken' : 'automountServiceAccountToken',
          ),
        ],
        field: fieldOf(pod, 'automountServiceAccountToken'),
        remedy: {
          says: 'Mount the token in this pod (the pod’s own setting goes before the ServiceAccount’s).',
          commands: change ? [commandOf(change)] : [],
          ...(change && { actions: [change] }),
          verify: watchCommand(pod),
        },
      };
    }
}

const log = 'panic: open /var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory\n';

export const serviceAccountTokenNotMounted: Rule = {
  id: 'service-account-token-not-mounted',
  title: 'The ServiceAccount’s token is not mounted',
  phase: 'config',
  codes: ['CFG-19'],
  symptoms: ['/var/run/secrets/kubernetes.io/serviceaccount/token: no such file or directory'],
  severity: 'error',
  lint: 'never',
  rank: 85,
  meaning:
    'Programs that talk to the API server read a token from a file that Kubernetes mounts, unless pod or ServiceAccount forbid it with `automountServiceAccountToken: false`.',
  tell: 'The program complains of the missing file.',
  fix: 'Set `automountServiceAccountToken: true` in the pod, or mount a projected token where it is needed.',
  sick: [
    {
      when: 'the pod forbids it',
      yaml: crashingPod({ exit: 2, spec: 'automountServiceAccountToken: false', log }),
      says: 'the pod says',
    },
    {
      when: 'the ServiceAccount forbids it',
      yaml: `${crashingPod({ exit: 2, log })}---\nkind: ServiceAccount\nmetadata: {name: default}\nautomountServiceAccountToken: false\n`,
      says: 'ServiceAccount default says',
    },
  ],
  healthy: [{ when: 'nobody misses it', yaml: healthyPod({ spec: 'automountServiceAccountToken: false' }) }],
  check,
};
