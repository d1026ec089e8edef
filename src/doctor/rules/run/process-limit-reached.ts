import { logRule, logsCommand } from './log-rule.ts';

export const processLimitReached = logRule({
  id: 'process-limit-reached',
  title: 'No more processes or threads',
  codes: ['RUN-32'],
  symptoms: ['pthread_create failed', 'failed to create new OS thread', 'resource temporarily unavailable'],
  rank: 76,
  pattern:
    /pthread_create failed[^\n]*|failed to create new OS thread[^\n]*|unable to create (?:new )?native thread|fork[^\n]*[Rr]esource temporarily unavailable|can't start new thread/,
  meaning:
    'The pod reached the number of processes and threads that the kubelet allows it (`podPidsLimit`), or the node’s own.',
  tell: 'The condition `PIDPressure` of the node tells the two apart.',
  fix: 'Find what starts so many threads; raise `podPidsLimit` if they are needed.',
  logs: [
    {
      when: 'Go cannot start a thread',
      log: 'runtime: failed to create new OS thread (have 512 already; errno=11)\n',
      says: 'threads',
      exit: 2,
    },
  ],
  claim: (it) => ({
    says: `Container ${it.container.name} can start no more processes or threads: ${it.match[0].trim()}.`,
    because: [{ kind: 'Node', name: it.pod.spec.nodeName ?? '' }],
    commands: [
      `kubectl get node ${it.pod.spec.nodeName} -o jsonpath='{.status.conditions[?(@.type=="PIDPressure")].status}'`,
      logsCommand(it),
    ],
  }),
});
