import { configmaps, secrets } from '../../../api/generated/resources.ts';
import { fromAbsence, fromEnd, fromSpec, listed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { fieldOf, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearest } from '../../text/nearest.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { specPath } from './missing.ts';
import { configReferences, namesOf } from './references.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const it of configReferences(pod)) {
      if (!it.optional || !snapshot.lacks(it.kind === 'Secret' ? secrets : configmaps, it.name, pod.namespace))
        continue;
      const container = pod.containers.find(
        (c) =>
          (it.container === undefined || c.name === it.container) &&
          c.lastEnd &&
          c.lastEnd.exitCode !== 0 &&
          !c.running,
      );
      if (!container) continue;
      const names = namesOf(snapshot, pod.namespace, it.kind);
      const [guess] = nearest(it.name, names);
      yield {
        subject: pod.ref,
        container: container.name,
        says: `Container ${container.name} crashes, and the ${it.kind} ${it.name} that it may use is not there; since the reference is optional, nobody said so${guess ? ` (did you mean ${guess}?)` : ''}.`,
        evidence: [
          fromEnd(pod, container),
          fromAbsence({ kind: it.kind, namespace: pod.namespace, name: it.name }, listed(names)),
          fromSpec(pod.ref, `${it.name}, optional: true`, `spec.${specPath(pod, it)}`),
        ],
        certainty: 'possible',
        cause: `${pod.namespace}/${it.name}`,
        field: fieldOf(pod, specPath(pod, it)),
        remedy: {
          says: `Create the ${it.kind}, or correct its name.`,
          commands: [
            `kubectl create ${it.kind === 'Secret' ? 'secret generic' : 'configmap'} ${it.name} -n ${pod.namespace} --from-literal=KEY=VALUE`,
          ],
          verify: watchCommand(pod),
        },
      };
    }
}

const container = 'envFrom: [{configMapRef: {name: features, optional: true}}]';

export const optionalConfigAbsent: Rule = {
  id: 'optional-config-absent',
  title: 'An optional ConfigMap or Secret is absent, and the program crashes',
  phase: 'config',
  codes: ['CFG-22'],
  symptoms: ['CrashLoopBackOff'],
  severity: 'error',
  lint: 'never',
  rank: 45,
  meaning:
    'With `optional: true` Kubernetes starts the container without the object and says nothing. If the program needs it after all, it fails later and less clearly.',
  tell: 'A reference that is optional, an object that is not there, a program that crashes. Other signs go before this one.',
  fix: 'Create the object, or take `optional` away so that Kubernetes says what is missing.',
  sick: [{ when: 'the program crashes without it', yaml: crashingPod({ exit: 1, container }), says: 'features' }],
  healthy: [{ when: 'the program runs without it', yaml: healthyPod({ container }) }],
  check,
};
