import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nodesOf } from './nodes.ts';

const minorOf = (version: string | undefined): number | undefined => {
  const minor = /^v1\.(\d+)/.exec(version ?? '')?.[1];
  return minor === undefined ? undefined : Number(minor);
};

/** The API server may be this many minor versions newer (kubernetes.io/releases/version-skew-policy). */
const allowed = 3;

function* check(snapshot: Snapshot): Iterable<Claim> {
  const server = minorOf(snapshot.serverVersion);
  if (server === undefined) return;
  for (const it of nodesOf(snapshot)) {
    const version = it.node.status?.nodeInfo?.kubeletVersion;
    const minor = minorOf(version);
    if (minor === undefined || (server - minor <= allowed && minor <= server)) continue;
    yield {
      subject: it.ref,
      says: `The kubelet of node ${it.name} is ${version}, which an API server of ${snapshot.serverVersion} does not support.`,
      evidence: [computed(it.ref, `kubelet ${version}, API server ${snapshot.serverVersion}`)],
      severity: 'warning',
      cause: `skew/${version}`,
      remedy: {
        says: minor > server ? 'Upgrade the control plane first.' : 'Upgrade the kubelet.',
        commands: ['kubectl get nodes', 'kubectl version'],
      },
    };
  }
}

export const kubeletVersionSkew: Rule = {
  id: 'kubelet-version-skew',
  title: 'The kubelet is too old (or too new) for the API server',
  phase: 'node',
  codes: ['NOD-21'],
  symptoms: ['version skew'],
  severity: 'warning',
  lint: 'never',
  rank: 60,
  meaning: 'A kubelet may be up to three minor versions older than the API server, and never newer.',
  tell: '`kubectl get nodes` against `kubectl version`.',
  fix: 'Upgrade.',
  sick: [
    {
      when: 'the kubelet is thirteen versions behind',
      yaml: 'kind: ServerVersion\ngitVersion: v1.33.1\n---\nkind: Node\nmetadata: {name: n1}\nstatus: {nodeInfo: {kubeletVersion: v1.20.0, architecture: amd64}, conditions: [{type: Ready, status: "True"}]}\n',
      says: 'v1.20.0',
    },
  ],
  healthy: [],
  check,
};
