import { outcome, probeExample, probeRule, showProbe } from './probes.ts';

export const probeNeedsAuthentication = probeRule(
  {
    id: 'probe-needs-authentication',
    title: "The probe's path wants a login",
    codes: ['PRB-13'],
    symptoms: ['Unhealthy', 'HTTP probe failed with statuscode: 401', 'HTTP probe failed with statuscode: 403'],
    lint: 'never',
    rank: 88,
    meaning: 'The kubelet asks without credentials, and the path of the probe is behind a login.',
    tell: '`statuscode: 401` or `403`.',
    fix: 'Ask a path that is open, or send a header with the probe (`httpHeaders`).',
    sick: [
      {
        when: 'the answer is 401',
        yaml: probeExample({
          kind: 'readiness',
          probe: '{httpGet: {path: /admin, port: 80}}',
          output: 'HTTP probe failed with statuscode: 401',
        }),
        says: '401',
      },
    ],
    healthy: [],
  },
  (it) => {
    const code = /statuscode: (40[13])/.exec(it.output)?.[1];
    return code
      ? {
          says: `The program answers the ${it.kind} probe of container ${it.container.name} (${showProbe(it.probe)}) with ${code}: the path wants credentials that the kubelet does not have${outcome(it)}.`,
          remedy: {
            says: 'Use a path that needs no login.',
            commands: ['kubectl explain pod.spec.containers.readinessProbe.httpGet.httpHeaders'],
          },
        }
      : undefined;
  },
);
