import type { Claim } from '../../finding.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { claimClaim, classExample, pendingClaimExample, pendingClaims, told } from './pending-claims.ts';

const meanings: readonly (readonly [RegExp, string, string])[] = [
  [
    /access mode|ReadWriteMany|MULTI_NODE/i,
    'it does not offer this access mode',
    'Use a class whose storage can be shared (NFS, CephFS), or ReadWriteOnce.',
  ],
  [
    /Unauthorized|AccessDenied|forbidden|not authorized|permission/i,
    'its credentials do not allow it',
    "Give the driver's identity the right to create volumes.",
  ],
  [
    /quota|LimitExceeded|ResourceExhausted|insufficient|no space|out of capacity/i,
    'its quota or space is used up',
    'Free space, or raise the quota of the account.',
  ],
  [
    /InvalidParameter|InvalidArgument|unknown parameter|invalid/i,
    'a parameter of the class is wrong',
    'Correct the parameters of the StorageClass (a class cannot be changed: make it anew).',
  ],
  [
    /zone|topology|region/i,
    'it has no storage in the zone asked for',
    'Allow other zones, or use WaitForFirstConsumer.',
  ],
];

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pendingClaims(snapshot)) {
    const said = told(it, ['ProvisioningFailed'], /^failed to provision volume with StorageClass "([^"]+)": (.*)$/s);
    if (!said) continue;
    const text = said.match[2] ?? '';
    const [, why, fix] = meanings.find(([pattern]) => pattern.test(text)) ?? [];
    yield claimClaim(it, {
      says: `The storage behind class ${said.match[1]} refuses to make a volume for the claim ${it.ref.name}${why ? `: ${why}` : ''} (${text.replace(/^rpc error: code = \w+ desc = /, '').slice(0, 160)}).`,
      evidence: [said.evidence],
      cause: `provision/${said.match[1]}/${why ?? text.slice(0, 60)}`,
      remedy: {
        says: fix ?? 'See what the driver says, and its log.',
        commands: [
          `kubectl get storageclass ${said.match[1]} -o yaml`,
          `kubectl describe pvc ${it.ref.name} -n ${it.ref.namespace}`,
        ],
      },
    });
  }
}

export const provisioningFailed: Rule = {
  id: 'provisioning-failed',
  title: 'The storage refuses to make the volume',
  phase: 'storage',
  codes: ['STO-05', 'STO-25'],
  symptoms: ['Pending', 'ProvisioningFailed'],
  severity: 'error',
  lint: 'never',
  rank: 90,
  meaning:
    'The provisioner was asked and answered with an error of its own: no right, no space, a wrong parameter, an access mode that it does not have.',
  tell: '`failed to provision volume with StorageClass "NAME": …`.',
  fix: 'As the error says.',
  sick: [
    {
      when: 'the driver cannot share the volume',
      yaml:
        pendingClaimExample('storageClassName: block', {
          reason: 'ProvisioningFailed',
          message:
            'failed to provision volume with StorageClass "block": rpc error: code = InvalidArgument desc = multi node access modes are only supported on rbd block type volumes: access mode MULTI_NODE_MULTI_WRITER',
        }) + classExample('block'),
      says: 'does not offer this access mode',
    },
  ],
  healthy: [],
  check,
};
