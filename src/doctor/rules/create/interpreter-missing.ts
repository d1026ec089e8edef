import { fromEnd, fromLog, logLine } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { startExample } from './example.ts';

const text = /^exec (\S+): no such file or directory|(\S+): bad interpreter|env: ['‘]?(\S+?)(?:\\r|\^M)/;

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      if (!container.lastEnd || container.lastEnd.exitCode === 0) continue;
      const log = logLine(snapshot, pod, container.name, text);
      if (!log) continue;
      const carriage = /\^M|\\r|\r/.test(log.line);
      yield {
        subject: pod.ref,
        container: container.name,
        says: carriage
          ? `The script that container ${container.name} starts has Windows line ends: its interpreter is looked for under a name that ends in a carriage return.`
          : `The script or program ${log.match[1] ?? log.match[2] ?? ''} of container ${container.name} is there, but what it needs to run (the interpreter of its first line, or its loader) is not.`,
        evidence: [fromLog(pod, container.name, log.log, log.line), fromEnd(pod, container)],
        ...(carriage ? {} : { certainty: 'likely' as const }),
        remedy: {
          says: carriage
            ? 'Convert the script to Unix line ends (dos2unix) and build the image again.'
            : 'Install the interpreter (bash is not in alpine), or use /bin/sh; a binary linked against glibc needs a glibc base image.',
          commands: [
            carriage
              ? 'dos2unix entrypoint.sh'
              : `kubectl debug ${pod.ref.name} -n ${pod.namespace} -it --copy-to=${pod.ref.name}-debug --container=${container.name} -- head -1 ${log.match[1] ?? '/entrypoint.sh'}`,
          ],
          verify: watchCommand(pod),
        },
      };
    }
}

export const interpreterMissing: Rule = {
  id: 'interpreter-missing',
  title: "The script's interpreter is missing",
  phase: 'create',
  codes: ['CRT-06'],
  symptoms: ['CrashLoopBackOff', 'no such file or directory', 'bad interpreter'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    '"No such file" about a file that exists means its interpreter: `#!/bin/bash` in an image without bash, `#!/bin/sh\\r` from a Windows editor, or the loader of another C library.',
  tell: '`exec /entrypoint.sh: no such file or directory` in the log though the file is in the image; `^M` in the message for line ends.',
  fix: 'Unix line ends, an interpreter that the image has, or another base image.',
  sick: [
    {
      when: 'the entry point cannot be started',
      yaml: `${startExample({ reason: 'Error', ended: true, exitCode: 127, message: '' })}---\nkind: Log\npod: web\ncontainer: app\ntext: "exec /entrypoint.sh: no such file or directory"\n`,
      says: '/entrypoint.sh',
    },
    {
      when: 'the line ends are those of Windows',
      yaml: `${startExample({ reason: 'Error', ended: true, exitCode: 126, message: '' })}---\nkind: Log\npod: web\ncontainer: app\ntext: "/bin/sh: /run.sh: /bin/sh^M: bad interpreter: No such file or directory"\n`,
      says: 'Windows line ends',
    },
  ],
  healthy: [],
  check,
};
