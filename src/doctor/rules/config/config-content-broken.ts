import { parseAllDocuments } from 'yaml';
import { configmaps } from '../../../api/generated/resources.ts';
import type { V1ConfigMap } from '../../../api/generated/types.ts';
import { computed, fromEnd } from '../../evidence.ts';
import type { Claim, Evidence } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { PodFacts } from '../../snapshot/pod-facts.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { crashingPod, deploymentManifest, healthyPod } from '../example-pods.ts';
import { configReferences } from './references.ts';

/** Longer contents may have been cut, and templates are no YAML yet. */
const longest = 16_000;

/** What is wrong with a file's content by the format that its name promises; undefined: nothing, or no format known. */
export function contentError(name: string, text: string): string | undefined {
  if (text.length >= longest || text.includes('{{')) return undefined;
  if (/\.json$/i.test(name)) {
    try {
      JSON.parse(text);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  }
  if (!/\.ya?ml$/i.test(name)) return undefined;
  const error = parseAllDocuments(text).flatMap((it) => it.errors)[0];
  return error?.message.split('\n')[0];
}

function broken(map: V1ConfigMap): { readonly key: string; readonly error: string } | undefined {
  for (const [key, text] of Object.entries(map.data ?? {})) {
    const error = contentError(key, text);
    if (error !== undefined) return { key, error };
  }
  return undefined;
}

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const pod of snapshot.troubled)
    for (const it of configReferences(pod)) {
      if (it.kind !== 'ConfigMap' || it.volume === undefined) continue;
      const map = snapshot.get(configmaps, it.name, pod.namespace);
      const bad = map && broken(map);
      if (!bad) continue;
      const crash = crashOf(pod, it.volume);
      if (!crash && !pod.planned) continue;
      yield {
        subject: pod.ref,
        ...(crash && { container: crash.container }),
        says: `The file ${bad.key} in ConfigMap ${pod.namespace}/${it.name} cannot be read: ${bad.error.replace(/[.:]$/, '')}.`,
        evidence: [
          computed({ kind: 'ConfigMap', namespace: pod.namespace, name: it.name }, `${bad.key}: ${bad.error}`),
          ...(crash ? [crash.evidence] : []),
        ],
        certainty: 'likely',
        cause: `${pod.namespace}/${it.name}/${bad.key}`,
        field: { object: { kind: 'ConfigMap', namespace: pod.namespace, name: it.name }, path: 'data' },
        remedy: {
          says: 'Correct the content, then restart the workload.',
          commands: [`kubectl edit configmap ${it.name} -n ${pod.namespace}`],
          verify: watchCommand(pod),
        },
      };
    }
}

/** A container that mounts the volume and has crashed. */
function crashOf(
  pod: PodFacts,
  volume: string,
): { readonly container: string; readonly evidence: Evidence } | undefined {
  const it = pod.containers.find(
    (c) => c.lastEnd && c.lastEnd.exitCode !== 0 && !c.running && c.spec.volumeMounts?.some((m) => m.name === volume),
  );
  return it && { container: it.name, evidence: fromEnd(pod, it) };
}

const spec = 'volumes: [{name: config, configMap: {name: app-config}}]';
const container = 'volumeMounts: [{name: config, mountPath: /etc/app}]';
const map = (text: string): string =>
  `---\nkind: ConfigMap\nmetadata: {name: app-config}\ndata: {app.json: ${JSON.stringify(text)}}\n`;

export const configContentBroken: Rule = {
  id: 'config-content-broken',
  title: 'A configuration file in a ConfigMap is malformed',
  phase: 'config',
  codes: ['CFG-23'],
  symptoms: ['CrashLoopBackOff', 'yaml: line …', 'invalid character', 'Unexpected token'],
  severity: 'error',
  lint: 'set',
  rank: 76,
  meaning:
    'The ConfigMap holds a file whose name promises YAML or JSON, and the content is neither. The program that reads it gives up.',
  tell: 'The content itself is parsed here; the message says where it breaks.',
  fix: 'Correct the content, and restart the workload.',
  sick: [
    {
      when: 'the program crashes on broken JSON',
      yaml: crashingPod({ exit: 1, spec, container }) + map('{"port": 80'),
      says: 'app.json',
    },
    {
      when: 'the manifests hold broken JSON',
      stage: 'manifests',
      yaml: deploymentManifest({ spec, container }) + map('{"port": }'),
      says: 'app.json',
    },
  ],
  healthy: [{ when: 'the content is well formed', yaml: healthyPod({ spec, container }) + map('{"port": 80}') }],
  check,
};
