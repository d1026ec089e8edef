import { containerField } from '../../remedy.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const portPrivileged = logRule({
  id: 'port-privileged',
  title: 'A port below 1024, and the program is not root',
  codes: ['RUN-13'],
  symptoms: ['bind: permission denied', 'bind() to 0.0.0.0:80 failed (13: Permission denied)', 'listen EACCES'],
  rank: 76,
  pattern:
    /(?:listen (?:tcp|udp)\S* |bind\(\) to |EACCES:? permission denied )?\S*?:(\d{1,4})\b[^\n]*(?:bind: permission denied|failed \(13: Permission denied\))|listen EACCES[^\n]*?:(\d{1,4})\b|(?:could not bind|make_sock)[^\n]*?:(\d{1,4})\b/,
  meaning:
    'Only root (or a process with the capability NET_BIND_SERVICE) may listen on ports below 1024, and this container runs as another user.',
  tell: 'The port in the message is below 1024.',
  fix: 'Let the program listen on a port above 1023 and let the Service map it.',
  logs: [
    {
      when: 'nginx runs as another user',
      log: 'nginx: [emerg] bind() to 0.0.0.0:80 failed (13: Permission denied)\n',
      says: 'port 80',
    },
    { when: 'Go cannot bind', log: 'listen tcp :443: bind: permission denied\n', says: 'port 443' },
  ],
  claim(it) {
    const port = Number(it.match.slice(1).find((m) => m !== undefined) ?? 0);
    if (port === 0 || port >= 1024) return undefined;
    return {
      says: `Container ${it.container.name} may not listen on port ${port}: ports below 1024 are for root, and it runs as another user.`,
      field: containerField(it.pod, it.container, 'securityContext'),
      commands: [
        `kubectl explain pod.spec.containers.securityContext.capabilities   # or add: [NET_BIND_SERVICE]`,
        logsCommand(it),
      ],
    };
  },
});
