import { fromSpec } from '../../evidence.ts';
import { editPodSpec } from '../../remedy.ts';
import { fieldOfProbe, outcome, probeExample, probeRule, showProbe } from './probes.ts';

export const probeTooSlow = probeRule(
  {
    id: 'probe-too-slow',
    title: 'The answer comes later than the probe waits',
    codes: ['PRB-04', 'PRB-09'],
    symptoms: [
      'Unhealthy',
      'context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
      'command timed out',
    ],
    lint: 'never',
    rank: 80,
    meaning:
      'A probe waits `timeoutSeconds` (1 second unless told otherwise). The program, or the command, took longer: it is overloaded, throttled by a small CPU limit, or simply slow.',
    tell: '`Client.Timeout exceeded while awaiting headers`, `context deadline exceeded`, `timed out after 1s`.',
    fix: 'A longer `timeoutSeconds`, more CPU, or a cheaper check.',
    sick: [
      {
        when: 'the headers come too late',
        yaml: probeExample({
          probe: '{httpGet: {path: /, port: 80}}',
          output:
            'Get "http://10.244.0.5:80/": context deadline exceeded (Client.Timeout exceeded while awaiting headers)',
        }),
        says: 'within 1 s',
      },
      {
        when: 'the command takes too long',
        yaml: probeExample({
          kind: 'readiness',
          probe: '{exec: {command: [sh, -c, sleep 5]}}',
          output: 'command timed out: "sh -c sleep 5" timed out after 1s',
          errored: true,
        }),
        says: 'within 1 s',
      },
    ],
    healthy: [],
  },
  (it) => {
    if (!/Client\.Timeout|context deadline exceeded|command timed out|timed out after|i\/o timeout/.test(it.output))
      return undefined;
    const seconds = it.probe.timeoutSeconds ?? 1;
    const limit = it.container.spec.resources?.limits?.['cpu'];
    const longer = Math.max(5, seconds * 2);
    const change = editPodSpec(
      it.snapshot,
      it.pod,
      [{ path: [`${it.kind}Probe`, 'timeoutSeconds'], value: longer }],
      it.container.name,
    );
    return {
      says: `Container ${it.container.name} does not answer its ${it.kind} probe (${showProbe(it.probe)}) within ${seconds} s${limit ? `, with a CPU limit of ${limit}` : ''}${outcome(it)}.`,
      evidence: [
        fromSpec(
          it.pod.ref,
          `timeoutSeconds: ${seconds}${it.probe.timeoutSeconds === undefined ? ' (the default)' : ''}`,
          `spec.${it.container.path}.${it.kind}Probe.timeoutSeconds`,
        ),
      ],
      field: fieldOfProbe(it, '.timeoutSeconds'),
      otherwise: ['a network policy or a service mesh drops what the kubelet sends'],
      remedy: {
        says: `Wait longer (timeoutSeconds: ${longer}), or give it more CPU.`,
        commands: [`kubectl top pod ${it.pod.ref.name} -n ${it.pod.namespace} --containers`],
        ...(change && { actions: [change] }),
      },
    };
  },
);
