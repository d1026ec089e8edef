import { fromSpec } from '../../evidence.ts';
import { editPodSpec } from '../../remedy.ts';
import { fieldOfProbe, outcome, probeExample, probeFault, probeKinds, probeOf, probeRule } from './probes.ts';

export const probePathNotFound = probeRule(
  {
    id: 'probe-path-not-found',
    title: 'The probe asks a path that the program does not have',
    codes: ['PRB-02'],
    symptoms: ['Unhealthy', 'HTTP probe failed with statuscode: 404'],
    lint: 'never',
    rank: 88,
    meaning: 'The server answers, and says that there is nothing at the path of the probe.',
    tell: '`HTTP probe failed with statuscode: 404`.',
    fix: 'Ask the path that the program offers for it.',
    sick: [
      {
        when: 'the path is unknown to the server',
        yaml: probeExample({
          probe: '{httpGet: {path: /healthz, port: 80}}',
          output: 'HTTP probe failed with statuscode: 404',
        }),
        says: '/healthz',
      },
      {
        when: 'the readiness probe asks another path',
        yaml: probeExample({
          probe: '{httpGet: {path: /health, port: 80}}',
          output: 'HTTP probe failed with statuscode: 404',
          container: '    readinessProbe: {httpGet: {path: /, port: 80}}',
        }),
        says: 'the readiness probe asks /',
      },
    ],
    healthy: [],
    fault: {
      manifest: probeFault(
        '        livenessProbe: {httpGet: {path: /no/such/path, port: 80}, periodSeconds: 2, failureThreshold: 2}\n        readinessProbe: {httpGet: {path: /, port: 80}}',
      ),
      runtimes: ['sim', 'containerd'],
      fixable: true,
      patienceSeconds: 15,
    },
  },
  (it) => {
    if (!/statuscode: 404/.test(it.output)) return undefined;
    const path = it.probe.httpGet?.path ?? '/';
    const sibling = probeKinds
      .filter((kind) => kind !== it.kind)
      .map((kind) => ({ kind, path: probeOf(it.container, kind)?.httpGet?.path }))
      .find((other) => other.path !== undefined && other.path !== path);
    const change = sibling
      ? editPodSpec(
          it.snapshot,
          it.pod,
          [{ path: [`${it.kind}Probe`, 'httpGet', 'path'], value: sibling.path }],
          it.container.name,
        )
      : undefined;
    return {
      says: `The ${it.kind} probe of container ${it.container.name} asks for ${path}, which the program does not have (404)${sibling ? `; the ${sibling.kind} probe asks ${sibling.path}` : ''}${outcome(it)}.`,
      evidence: [fromSpec(it.pod.ref, `path: ${path}`, `spec.${it.container.path}.${it.kind}Probe.httpGet.path`)],
      field: fieldOfProbe(it, '.httpGet.path'),
      remedy: {
        says: sibling
          ? `Ask ${sibling.path}, as the ${sibling.kind} probe does.`
          : 'Ask a path that the program answers with 200.',
        commands: [
          `kubectl exec ${it.pod.ref.name} -c ${it.container.name} -n ${it.pod.namespace} -- wget -qSO- http://127.0.0.1:${it.probe.httpGet?.port}/`,
        ],
        ...(change && { actions: [change] }),
      },
    };
  },
);
