import { fromSpec } from '../../evidence.ts';
import { commandOf, containerField, editPodSpec, watchCommand } from '../../remedy.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const refusesRoot = logRule({
  id: 'refuses-root',
  title: 'The program refuses to run as root',
  codes: ['RUN-27'],
  symptoms: ['execution of the PostgreSQL server is not permitted', 'root'],
  rank: 76,
  pattern:
    /"root" execution of the PostgreSQL server is not permitted|(?:can ?not|must not|should not|refus\w+ to|not permitted to) (?:be )?(?:run|start|execut)\w* as (?:the )?(?:super ?user |user )?['"]?root|don't run (?:\w+ )?as root/i,
  meaning:
    'Some servers refuse to run as root. Their images have an entry point that changes the user first; a `command` in the pod goes past it.',
  tell: 'The pod sets `command`, or `runAsUser: 0`.',
  fix: 'Leave `command` out (use `args`), or set `runAsUser`.',
  logs: [
    { when: 'postgres refuses', log: '"root" execution of the PostgreSQL server is not permitted.\n', says: 'refuses' },
  ],
  claim(it, snapshot) {
    const { command } = it.container.spec;
    const change = editPodSpec(
      snapshot,
      it.pod,
      [{ path: ['securityContext', 'runAsUser'], value: 999 }],
      it.container.name,
    );
    return {
      says: `The program in container ${it.container.name} refuses to run as root${command ? '; the pod sets command, which goes past the entry point that would change the user' : ''}.`,
      evidence: [
        ...it.evidence,
        ...(command
          ? [fromSpec(it.pod.ref, `command: ${JSON.stringify(command)}`, `spec.${it.container.path}.command`)]
          : []),
      ],
      field: containerField(it.pod, it.container, command ? 'command' : 'securityContext.runAsUser'),
      remedy: {
        says: command
          ? 'Leave command out, or run as the user that the program wants.'
          : 'Run as the user that the program wants.',
        commands: change ? [commandOf(change)] : [logsCommand(it)],
        verify: watchCommand(it.pod),
      },
    };
  },
});
