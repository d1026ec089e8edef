import { fromSpec } from '../../evidence.ts';
import { outcome, probeExample, probeFault, probeRule } from './probes.ts';

export const probeToolMissing = probeRule(
  {
    id: 'probe-tool-missing',
    title: "The probe's program is not in the image",
    codes: ['PRB-08'],
    symptoms: ['Unhealthy', 'probe errored', 'executable file not found in $PATH'],
    lint: 'never',
    rank: 90,
    meaning:
      'An exec probe runs inside the container, with what the image has. `curl`, `wget`, `nc` or a shell often are not there.',
    tell: '`executable file not found in $PATH` behind `probe errored` or `probe failed`.',
    fix: 'An `httpGet`, `tcpSocket` or `grpc` probe needs no program; or install it in the image.',
    sick: [
      {
        when: 'curl is not there',
        yaml: probeExample({
          probe: '{exec: {command: [curl, -f, "http://localhost/"]}}',
          errored: true,
          output:
            'rpc error: code = Unknown desc = failed to exec in container: failed to start exec "1": OCI runtime exec failed: exec failed: unable to start container process: exec: "curl": executable file not found in $PATH: unknown',
        }),
        says: 'curl',
      },
    ],
    healthy: [],
    fault: {
      manifest: probeFault(
        '        livenessProbe: {exec: {command: [pg_isready]}, periodSeconds: 2}',
        'busybox:1.36',
        '        command: [sleep, "3600"]',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: false,
      patienceSeconds: 12,
    },
  },
  (it) => {
    const name = /exec: "([^"]+)": (?:executable file not found|stat [^:]*: no such file)/.exec(it.output)?.[1];
    if (!name) return undefined;
    const url = /https?:\/\/(?:localhost|127\.0\.0\.1)(?::(\d+))?(\/\S*)?/.exec(
      (it.probe.exec?.command ?? []).join(' '),
    );
    return {
      says: `The ${it.kind} probe of container ${it.container.name} runs ${name}, which the image ${it.container.image} does not have${outcome(it)}.`,
      evidence: [
        fromSpec(
          it.pod.ref,
          `command: ${JSON.stringify(it.probe.exec?.command ?? [])}`,
          `spec.${it.container.path}.${it.kind}Probe.exec`,
        ),
      ],
      remedy: {
        says: url
          ? `Use httpGet with port ${url[1] ?? 80} and path ${url[2] ?? '/'} instead; the kubelet asks by itself.`
          : 'Use httpGet, tcpSocket or grpc instead, or install the program.',
        commands: ['kubectl explain pod.spec.containers.livenessProbe'],
      },
    };
  },
);
