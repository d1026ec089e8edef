import { authenticationFailure } from './log-patterns.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const loginRefused = logRule({
  id: 'login-refused',
  title: 'A server refuses the program’s login',
  codes: ['RUN-12'],
  symptoms: ['password authentication failed for user', 'Access denied for user', 'NOAUTH', '401 Unauthorized'],
  rank: 68,
  unready: true,
  pattern: authenticationFailure,
  meaning:
    'The server was reached, and does not accept user name and password (or token). Nothing is wrong with network or pod.',
  tell: 'Compare where client and server take their password from: two Secrets, or one that was changed after a database had been set up with the old one.',
  fix: 'Let client and server use the same credentials.',
  logs: [
    {
      when: 'Postgres refuses',
      log: 'FATAL:  password authentication failed for user "shop"\n',
      says: 'password authentication failed',
    },
    { when: 'Redis wants a password', log: '(error) NOAUTH Authentication required.\n', says: 'NOAUTH' },
  ],
  claim(it) {
    const secrets = [
      ...new Set([
        ...(it.container.spec.env ?? []).map((e) => e.valueFrom?.secretKeyRef?.name),
        ...(it.container.spec.envFrom ?? []).map((e) => e.secretRef?.name),
      ]),
    ].filter((n) => n !== undefined);
    return {
      says: `A server refuses the login of container ${it.container.name}: ${it.match[0].trim()}${secrets.length > 0 ? `; its credentials come from Secret ${secrets.join(', ')}` : ''}.`,
      commands: [
        ...secrets.map((s) => `kubectl describe secret ${s} -n ${it.pod.namespace}   # keys and lengths, no values`),
        logsCommand(it),
      ],
    };
  },
});
