import { fromLog, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, healthyPod } from '../example-pods.ts';
import { authenticationFailure } from '../run/log-patterns.ts';
import { configReferences } from './references.ts';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const line = logLine(snapshot, pod, container.name, authenticationFailure);
      if (!line) continue;
      for (const it of configReferences(pod)) {
        if (it.kind !== 'Secret' || (it.container !== undefined && it.container !== container.name)) continue;
        const keys = snapshot.secret(pod.namespace, it.name)?.keys ?? [];
        const bad = keys.find(
          (key) =>
            (key.endsInNewline || key.encodedTwice) &&
            (it.keys.length === 0 || it.keys.some((k) => k.name === key.name)),
        );
        if (!bad) continue;
        const how = bad.encodedTwice
          ? 'is base64 of base64: it was encoded twice'
          : 'ends in a line break, as `echo` without -n leaves it';
        yield {
          subject: pod.ref,
          container: container.name,
          says: `The login fails, and the value of key ${bad.name} in Secret ${pod.namespace}/${it.name} ${how}.`,
          evidence: [
            fromLog(pod, container.name, line.log, line.line),
            {
              text: `${bad.name}: ${bad.bytes} bytes, ${bad.encodedTwice ? 'base64 of readable text' : 'the last is a line break'} (the value is not shown)`,
              source: { kind: 'computed', object: { kind: 'Secret', namespace: pod.namespace, name: it.name } },
            },
          ],
          certainty: 'likely',
          cause: `${pod.namespace}/${it.name}/${bad.name}`,
          remedy: {
            says: 'Make the key anew with exactly the value.',
            commands: [
              `kubectl create secret generic ${it.name} -n ${pod.namespace} --from-literal=${bad.name}=VALUE --dry-run=client -o yaml | kubectl apply -f -   # give all keys`,
            ],
            verify: watchCommand(pod),
          },
        };
      }
    }
}

const container = 'env: [{name: PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]';
const secret = (value: string): string =>
  `---\nkind: Secret\nmetadata: {name: db}\nstringData: {password: ${JSON.stringify(value)}}\n`;

export const secretBadlyEncoded: Rule = {
  id: 'secret-badly-encoded',
  title: 'A Secret’s value has a line break at its end, or was encoded twice',
  phase: 'config',
  codes: ['CFG-18'],
  symptoms: ['password authentication failed', 'Access denied for user', '401 Unauthorized'],
  severity: 'error',
  lint: 'never',
  rank: 78,
  meaning:
    '`echo secret | base64` encodes a line break too, and putting base64 text under `stringData` (or encoding it before `kubectl create secret`) encodes it twice. The program then logs in with the wrong password.',
  tell: 'The login fails although the password is known to be right. The *shape* of the value tells: length, last byte, base64 inside base64. The value itself is never shown.',
  fix: 'Make the Secret with `kubectl create secret generic --from-literal`, or use `echo -n`.',
  sick: [
    {
      when: 'the value ends in a line break',
      yaml:
        crashingPod({ exit: 1, container, log: 'FATAL: password authentication failed for user "app"\n' }) +
        secret('hunter2\n'),
      says: 'line break',
    },
    {
      when: 'the value is base64 twice',
      yaml:
        crashingPod({ exit: 1, container, log: "Access denied for user 'app'@'10.0.0.1' (using password: YES)\n" }) +
        secret('aHVudGVyMjIy'),
      says: 'encoded twice',
    },
  ],
  healthy: [{ when: 'the login works', yaml: healthyPod({ container }) + secret('hunter2\n') }],
  check,
};
