import { logRule, logsCommand } from './log-rule.ts';

export const leaderElectionLost = logRule({
  id: 'leader-election-lost',
  title: 'It lost its lease and restarts, as it should',
  codes: ['RUN-30'],
  symptoms: ['leader election lost', 'leaderelection lost'],
  rank: 70,
  severity: 'warning',
  pattern: /leader ?election lost|failed to renew lease [^\n]+: timed out/i,
  meaning:
    'Controllers hold a lease; one that cannot renew it in time ends at once, so that another takes over. That is no fault of its own: the API server was slow or out of reach, or the program was starved of CPU.',
  tell: '`leader election lost` at the end of the log.',
  fix: 'Look at the API server’s latency and at the program’s CPU limit if it happens often.',
  logs: [
    {
      when: 'the lease is lost',
      log: 'E1125 10:00:00.000000       1 leaderelection.go:332] error retrieving resource lock kube-system/x: context deadline exceeded\nF1125 10:00:10.000000       1 main.go:80] leaderelection lost\n',
      says: 'lease',
    },
  ],
  claim: (it) => ({
    says: `Container ${it.container.name} ended because it could not renew its lease in time; it restarts by design.`,
    commands: [logsCommand(it), 'kubectl get --raw /metrics | grep apiserver_request_duration_seconds_sum | head'],
  }),
});
