import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectls, startTestCluster, type TestCluster } from './harness.ts';
import { coracle } from './in-process.ts';

/** The layout is that of 1.33. */
const kubectl = kubectls().find((binary) => binary.endsWith('kubectl.1.33'));
const manifest = (name: string): string => readFileSync(new URL(`manifests/${name}`, import.meta.url), 'utf8');

/** Ages move on between two calls, and columns of them with it. */
const normal = (text: string): string =>
  text
    .replaceAll(/\b\d+(s|m|h|d)(\d+(s|m|h))?\b/g, 'AGE')
    .replaceAll(/(RenewTime:|LastHeartbeat).*/g, '$1')
    .replaceAll(/ {2,}/g, '  ')
    .replaceAll(/ +$/gm, '');

const commands = [
  ...[
    ['pod full', 'deploy dep', 'rs', 'sts sts', 'ds ds', 'job job', 'cronjob cron', 'svc svc', 'ingress ing'],
    ['netpol np', 'pdb pdb', 'hpa hpa', 'quota quota', 'limits limits', 'sa sa', 'pv', 'pvc pvc', 'sc', 'role role'],
    ['rolebinding rb', 'clusterrole admin', 'clusterrole system:discovery', 'clusterrolebinding cluster-admin'],
    ['cm cm', 'secret sec', 'ns default', 'node', 'widget w', 'ep svc', 'endpointslice', 'priorityclass'],
    ['crd widgets.example.com', 'servicecidr', 'ipaddress', 'pod nothere', 'pods -l app=dep', 'pod/full svc/svc'],
    ['pod dep-', 'apiservice v1.apps', 'nothing', 'pods -n empty', 'events -n empty', 'csr'],
  ]
    .flat()
    .map((what) => `describe ${what}`),
  ...[
    ['pods', 'pods -o wide', 'pod full -o yaml', 'deploy dep -o json', 'all', 'pods -o name', 'svc,deploy', 'node'],
    ['pods --show-labels', 'pods -L app', 'pods -A', 'cm -A -o yaml', 'pods -o jsonpath={.items[*].metadata.name}'],
    ['pods -o custom-columns=N:.metadata.name,I:.spec.containers[*].image,X:.nope', 'pods --sort-by=.metadata.name'],
    ['pods --no-headers', 'pod nope', 'widgets', 'widget w -o yaml', 'nothere', 'pod full nope', 'pods -l app=dep'],
    ['pods --field-selector status.phase=Running', 'ns -A', 'pod/full svc/svc', 'crd -o yaml', 'secret sec -o yaml'],
    [
      'pods -n empty',
      'pods -o bogus',
      'job,cronjob',
      'pv,pvc,sc',
      'ingress',
      'clusterrole -o yaml',
      'cm,secret -o name',
    ],
    ['po full --show-kind', 'deploy dep --subresource=status', '--raw /version', 'pods -A --sort-by=.metadata.name'],
  ]
    .flat()
    .map((what) => `get ${what}`),
  'events -n empty',
  'events --types=Bogus',
];

describe.skipIf(!kubectl)('the built-in commands print what kubectl 1.33 prints', () => {
  let cluster: TestCluster;
  beforeAll(async () => {
    cluster = await startTestCluster({ args: ['--no-node', '--store', 'memory'] });
    await cluster.apply(manifest('every-kind.yaml'));
    await cluster.ok('wait', '--for=condition=established', 'crd/widgets.example.com');
    await cluster.apply(manifest('widget.yaml'));
    await cluster.until(['get', 'pods', '-o', 'name'], (out) => out.trim().split('\n').length >= 5);
    await cluster.until(['get', 'events', '-o', 'name'], (out) => out.trim().split('\n').length >= 5);
  });
  afterAll(() => cluster?.dispose());

  it.each(commands)('%s', async (command) => {
    const args = command.split(' ');
    const [theirs, ours] = await Promise.all([
      cluster.kubectlWith({ ...(kubectl && { binary: kubectl }) }, ...args),
      coracle({ KUBECONFIG: cluster.kubeconfig, HOME: cluster.dataDir }, args),
    ]);
    expect(normal(ours.stdout)).toBe(normal(theirs.stdout));
    expect(normal(ours.stderr)).toBe(normal(theirs.stderr));
    expect(ours.code).toBe(theirs.code);
  });
});
