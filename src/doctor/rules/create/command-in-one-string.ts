import { fromSpec } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { runc, startExample, startFault } from './example.ts';

/** Characters that only a shell understands. */
const shellish = /[|&;<>$`"'*?]/;

/** The first word of the command when it is a whole command line. */
function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const container of pod.containers) {
      const [line = '', ...rest] = container.spec.command ?? [];
      const words = line.trim().split(/\s+/);
      if (words.length < 2 || line.includes('/ ') || container.running) continue;
      const value = shellish.test(line)
        ? ['sh', '-c', line, ...(rest.length > 0 ? ['sh', ...rest] : [])]
        : [...words, ...rest];
      const change = editPodSpec(snapshot, pod, [{ path: ['command'], value }], container.name);
      const failed = /exec: "[^"]*":/.exec(container.lastEnd?.message ?? container.waiting?.message ?? '');
      if (!pod.planned && !failed) continue;
      yield {
        subject: pod.ref,
        container: container.name,
        says: `The command of container ${container.name} is one string with spaces (${JSON.stringify(line)}); the runtime looks for a program of that whole name.`,
        evidence: [
          fromSpec(pod.ref, `command: ${JSON.stringify(container.spec.command)}`, `spec.${container.path}.command`),
          ...(failed
            ? [
                {
                  text: container.lastEnd?.message ?? container.waiting?.message ?? '',
                  source: { kind: 'status' as const, object: pod.ref },
                },
              ]
            : []),
        ],
        field: containerField(pod, container, 'command'),
        remedy: {
          says: `Write each word as an element of its own: ${JSON.stringify(value)}.`,
          commands: [`kubectl explain pod.spec.containers.command`],
          ...(change && { actions: [change] }),
          verify: watchCommand(pod),
        },
      };
    }
}

export const commandInOneString: Rule = {
  id: 'command-in-one-string',
  title: 'The whole command line is one element',
  phase: 'create',
  codes: ['CRT-04'],
  symptoms: ['StartError', 'executable file not found in $PATH', 'no such file or directory'],
  severity: 'error',
  lint: 'manifest',
  rank: 94,
  meaning:
    '`command` is a list of words and no shell reads it. `["python app.py"]` asks for a program whose name holds a space.',
  tell: 'The quoted name in the error has a space in it.',
  fix: '`["python", "app.py"]`, or `["sh", "-c", "python app.py"]` where a shell is needed.',
  sick: [
    {
      when: 'the command line is one element',
      yaml: startExample({
        reason: 'StartError',
        ended: true,
        message: runc('exec: "sleep 3600": executable file not found in $PATH'),
        container: '    command: ["sleep 3600"]',
      }),
      says: 'one string with spaces',
    },
    {
      when: 'the manifest has it so',
      stage: 'manifests',
      yaml: 'kind: Deployment\nmetadata: {name: web}\nspec:\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: app, image: python:3.12, command: ["python app.py"]}]}\n',
      says: 'python app.py',
    },
  ],
  healthy: [],
  fault: { manifest: startFault('        command: ["sleep 3600"]'), runtimes: ['sim', 'containerd'], fixable: true },
  check,
};
