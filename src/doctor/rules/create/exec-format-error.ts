import { nodes } from '../../../api/generated/resources.ts';
import { fromEnd, fromLog, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { startExample } from './example.ts';

const text = /exec format error/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (!container.lastEnd || container.lastEnd.exitCode === 0) continue;
      const inStatus = text.test(container.lastEnd.message ?? '');
      const log = logLine(snapshot, pod, container.name, text);
      if (!inStatus && !log) continue;
      const architecture = snapshot.get(nodes, pod.spec.nodeName ?? '')?.status?.nodeInfo?.architecture;
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The program of container ${container.name} cannot be executed on node ${pod.spec.nodeName}${architecture ? ` (${architecture})` : ''}: it is made for another processor, or is a script without a #! line.`,
        evidence: [...(log ? [fromLog(pod, container.name, log.log, log.line)] : []), fromEnd(pod, container)],
        otherwise: ['a script whose first line is not #!/bin/sh gives the same error'],
        remedy: {
          says: `Build the image for ${architecture ?? 'the architecture of the nodes'} (docker buildx build --platform), keep the pod to nodes of its architecture, or begin the script with #!/bin/sh.`,
          commands: [`docker buildx imagetools inspect ${container.image}`, 'kubectl get nodes -L kubernetes.io/arch'],
          verify: watchCommand(pod),
        },
      };
    }
}

export const execFormatError: Rule = {
  id: 'exec-format-error',
  title: 'The program is made for another processor',
  phase: 'create',
  codes: ['CRT-05'],
  symptoms: ['CrashLoopBackOff', 'exec format error'],
  severity: 'error',
  lint: 'never',
  rank: 92,
  meaning:
    'The kernel does not know what to do with the file: a binary for another architecture (an image built on an ARM laptop, an x86 node), or a script that does not name its interpreter.',
  tell: '`exec /entrypoint.sh: exec format error` as the only line of the log.',
  fix: 'A multi-platform image, or a `#!` line.',
  sick: [
    {
      when: 'the log says so',
      yaml: `${startExample({ reason: 'Error', ended: true, exitCode: 255, message: '' })}---\nkind: Log\npod: web\ncontainer: app\ntext: "exec /entrypoint.sh: exec format error"\n`,
      says: 'another processor',
    },
  ],
  healthy: [],
  check,
};
