import { computed } from '../../evidence.ts';
import { deploymentManifest } from '../example-pods.ts';
import { logRule, logsCommand } from './log-rule.ts';

export const portInUse = logRule({
  id: 'port-in-use',
  title: 'The port is already taken',
  codes: ['RUN-13'],
  symptoms: ['bind: address already in use', 'EADDRINUSE', 'Address already in use'],
  rank: 74,
  pattern:
    /(?:listen (?:tcp|udp)\S* )?(?:\S*?:(\d{1,5}):? )?(?:bind: address already in use|EADDRINUSE[^\d]*(?:\S*:)?(\d{1,5})?|[Aa]ddress already in use)(?:[^\d\n]*(?:\S*:)(\d{1,5}))?/,
  meaning:
    'Containers of one pod share its network, so two of them cannot listen on the same port; pods with `hostNetwork: true` share it with the node and all such pods there.',
  tell: 'Another container of the pod declares the same port, or the pod uses the host’s network.',
  fix: 'Give one of them another port.',
  logs: [
    { when: 'Go cannot bind', log: 'listen tcp :8080: bind: address already in use\n', says: '8080' },
    { when: 'Node.js cannot bind', log: 'Error: listen EADDRINUSE: address already in use :::3000\n', says: '3000' },
  ],
  fault: {
    manifest: deploymentManifest({
      container: `command: [sh, -c, "echo 'listen tcp :8080: bind: address already in use'; exit 1"]`,
    }),
    runtimes: ['sim', 'containerd'],
    fixable: false,
    patienceSeconds: 10,
  },
  claim(it) {
    const port =
      /:(\d{1,5})\b(?!.*:\d)/.exec(it.line.replace(/already in use.*?(?=:\d|$)/, (t) => t))?.[1] ??
      it.match.slice(1).find((m) => m !== undefined);
    const others = it.pod.containers
      .filter((c) => c.name !== it.container.name && c.spec.ports?.some((p) => String(p.containerPort) === port))
      .map((c) => c.name);
    const host = it.pod.spec.hostNetwork === true;
    return {
      says: `Container ${it.container.name} cannot listen${port ? ` on port ${port}` : ''}: ${others.length > 0 ? `container ${others.join(', ')} of the same pod has it` : host ? `something on node ${it.pod.spec.nodeName} has it, since the pod uses the host's network` : 'something in the pod has it already, perhaps a second copy of the program'}.`,
      evidence: [
        ...it.evidence,
        computed(
          it.pod.ref,
          `ports declared: ${it.pod.containers.flatMap((c) => (c.spec.ports ?? []).map((p) => `${c.name} ${p.containerPort}`)).join(', ') || 'none'}; hostNetwork: ${host}`,
        ),
      ],
      commands: [logsCommand(it)],
    };
  },
});
