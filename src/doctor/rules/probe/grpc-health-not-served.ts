import { outcome, probeExample, probeRule } from './probes.ts';

export const grpcHealthNotServed = probeRule(
  {
    id: 'grpc-health-not-served',
    title: 'The gRPC health service says no, or is not there',
    codes: ['PRB-14'],
    symptoms: [
      'Unhealthy',
      'service unhealthy (responded with "NOT_SERVING")',
      'this server does not implement the grpc health protocol',
    ],
    lint: 'never',
    rank: 88,
    meaning:
      'A grpc probe calls `grpc.health.v1.Health/Check`. The server does not offer it, does not know the service that is asked about, or says NOT_SERVING.',
    tell: 'The text behind the probe: *does not implement the grpc health protocol*, *responded with "NOT_SERVING"*, *failed to connect service*.',
    fix: 'Register the health service in the program, and set its status; ask the right port and service name.',
    sick: [
      {
        when: 'the protocol is not served',
        yaml: probeExample({
          kind: 'readiness',
          probe: '{grpc: {port: 50051}}',
          output:
            'error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service grpc.health.v1.Health',
        }),
        says: 'does not offer the health service',
      },
    ],
    healthy: [],
  },
  (it) => {
    if (!it.probe.grpc) return undefined;
    const what = /does not implement the grpc health protocol/.test(it.output)
      ? 'does not offer the health service'
      : /NOT_SERVING|service unhealthy/.test(it.output)
        ? 'says that it is not serving'
        : /failed to connect service/.test(it.output)
          ? `does not answer on port ${it.probe.grpc.port}`
          : undefined;
    return what
      ? {
          says: `The gRPC server of container ${it.container.name} ${what}${outcome(it)}.`,
          remedy: {
            says: 'Register grpc.health.v1.Health in the program, and set SERVING when it is ready.',
            commands: [
              `kubectl port-forward pod/${it.pod.ref.name} -n ${it.pod.namespace} ${it.probe.grpc.port} & grpcurl -plaintext localhost:${it.probe.grpc.port} grpc.health.v1.Health/Check`,
            ],
          },
        }
      : undefined;
  },
);
