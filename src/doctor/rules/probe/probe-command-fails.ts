import { fromSpec } from '../../evidence.ts';
import { outcome, probeExample, probeFault, probeRule } from './probes.ts';

export const probeCommandFails = probeRule(
  {
    id: 'probe-command-fails',
    title: "The probe's command ends with an error",
    codes: ['PRB-07'],
    symptoms: ['Unhealthy', 'Readiness probe failed', 'Liveness probe failed'],
    lint: 'never',
    rank: 72,
    meaning:
      'An exec probe succeeds when its command ends with 0. It ended with something else; what it printed stands behind `failed:`.',
    tell: 'The message holds the output of the command, or nothing when it printed nothing.',
    fix: 'Run the command in the container and see why it fails.',
    sick: [
      {
        when: 'the command exits with 1',
        yaml: probeExample({
          kind: 'readiness',
          probe: '{exec: {command: [cat, /tmp/healthy]}}',
          output: "cat: can't open '/tmp/healthy': No such file or directory",
        }),
        says: 'cat /tmp/healthy',
      },
    ],
    healthy: [],
    fault: {
      manifest: probeFault(
        '        readinessProbe: {exec: {command: [cat, /tmp/ready]}, periodSeconds: 2}',
        'busybox:1.36',
        '        command: [sleep, "3600"]',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: false,
      patienceSeconds: 10,
    },
  },
  (it) => {
    if (!it.probe.exec || it.errored || /timed out/.test(it.output)) return undefined;
    const command = (it.probe.exec.command ?? []).join(' ');
    return {
      says: `The command of the ${it.kind} probe of container ${it.container.name} (${command}) fails${it.output ? `: ${it.output.split('\n')[0]}` : ' without a word'}${outcome(it)}.`,
      evidence: [
        fromSpec(
          it.pod.ref,
          `command: ${JSON.stringify(it.probe.exec.command)}`,
          `spec.${it.container.path}.${it.kind}Probe.exec`,
        ),
      ],
      remedy: {
        says: 'Run it by hand and repair what it finds, or the command.',
        commands: [
          `kubectl exec ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} -- ${command}; echo $?`,
        ],
      },
    };
  },
);
