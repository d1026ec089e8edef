import { outcome, probeExample, probeRule, showProbe } from './probes.ts';

export const probeUnhealthy = probeRule(
  {
    id: 'probe-unhealthy',
    title: 'A probe fails',
    codes: ['PRB-15', 'PRB-19', 'PRB-20'],
    symptoms: ['Unhealthy', 'connection refused', 'connection reset by peer'],
    lint: 'never',
    rank: 40,
    meaning: 'The kubelet asks as it was told and does not get what it wants. None of the better known reasons fits.',
    tell: 'The text behind the probe; the log of the container at that moment.',
    fix: 'Ask the same from inside the container; if that works, something between kubelet and pod is in the way (policy, mesh, binding to loopback).',
    sick: [
      {
        when: 'the connection is refused on the declared port',
        yaml: probeExample({
          kind: 'readiness',
          probe: '{httpGet: {path: /, port: 80}}',
          output: 'Get "http://10.244.0.5:80/": dial tcp 10.244.0.5:80: connect: connection refused',
          container: '    ports: [{containerPort: 80}]',
        }),
        says: 'connection refused',
      },
    ],
    healthy: [],
  },
  (it) => ({
    says: `The ${it.kind} probe of container ${it.container.name} (${showProbe(it.probe)}) fails: ${it.output.split('\n')[0]?.replace(/^Get "[^"]*": /, '') || 'without a word'}${outcome(it)}.`,
    certainty: 'likely',
    otherwise: /refused/.test(it.output)
      ? [
          'the program has not begun to listen yet, or has stopped',
          'it listens on 127.0.0.1 only',
          'it listens on another port',
        ]
      : ['a network policy or a service mesh is in the way'],
    remedy: {
      says: 'See its log, and ask the same from inside.',
      commands: [
        `kubectl logs ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} --tail=50`,
        `kubectl exec ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} -- wget -qSO- http://127.0.0.1:${it.probe.httpGet?.port ?? it.probe.tcpSocket?.port ?? ''}${it.probe.httpGet?.path ?? '/'}`,
      ],
    },
  }),
);
