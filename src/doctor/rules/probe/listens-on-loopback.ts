import { fromLog, logLine } from '../../evidence.ts';
import { outcome, portOf, probeExample, probeFault, probeRule } from './probes.ts';

const loopback =
  /(?:listening|listen|running|serving|started|bound|available)\b.*?(?:127\.0\.0\.1|localhost|\[::1\])[: ]?(\d+)?/i;

export const listensOnLoopback = probeRule(
  {
    id: 'listens-on-loopback',
    title: 'The program listens on 127.0.0.1 only',
    codes: ['PRB-12', 'RUN-22'],
    symptoms: ['Unhealthy', 'connection refused'],
    lint: 'never',
    rank: 90,
    meaning:
      'The program accepts connections from inside the pod only. The kubelet, Services and other pods come from outside and are refused.',
    tell: '`connection refused` on the right port, while the log says `listening on 127.0.0.1:…` and `kubectl exec … wget localhost` works.',
    fix: 'Let it listen on 0.0.0.0 (often a setting such as HOST, BIND, --host).',
    sick: [
      {
        when: 'the log says so',
        yaml: `${probeExample({ kind: 'readiness', probe: '{httpGet: {path: /, port: 3000}}', output: 'Get "http://10.244.0.5:3000/": dial tcp 10.244.0.5:3000: connect: connection refused', container: '    ports: [{containerPort: 3000}]' })}---\nkind: Log\npod: web\ncontainer: app\nprevious: false\ntext: "Server listening on http://127.0.0.1:3000"\n`,
        says: '127.0.0.1',
      },
    ],
    healthy: [],
    fault: {
      manifest: probeFault(
        '        readinessProbe: {tcpSocket: {port: 80}, periodSeconds: 2}',
        'busybox:1.36',
        '        command: [sh, -c, "echo listening on 127.0.0.1:80; mkdir -p /www; httpd -f -p 127.0.0.1:80 -h /www"]',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: false,
      patienceSeconds: 10,
    },
  },
  (it) => {
    if (!/connection refused/.test(it.output)) return undefined;
    const found = logLine(it.snapshot, it.pod, it.container.name, loopback);
    const port = portOf(it.probe, it.container);
    if (!found || (found.match[1] !== undefined && port !== undefined && Number(found.match[1]) !== port))
      return undefined;
    return {
      says: `The program of container ${it.container.name} listens on 127.0.0.1 only, where the kubelet cannot reach it${outcome(it)}.`,
      evidence: [fromLog(it.pod, it.container.name, found.log, found.line)],
      remedy: {
        says: 'Let the program listen on 0.0.0.0.',
        commands: [`kubectl exec ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} -- netstat -tln`],
      },
    };
  },
);
