import { leases, pods } from '../../../api/generated/resources.ts';
import type { V1Lease, V1Node, V1Pod } from '../../../api/generated/types.ts';
import type { Live } from '../../../api/resource.ts';
import { hasReason, StatusError } from '../../../api/status.ts';
import { type Describer, labelsAndAnnotations, type Surroundings } from './describer.ts';
import { eventsAbout, writeEvents } from './events.ts';
import { nodeResources } from './node-resources.ts';
import { moment, type Page } from './page.ts';

const rolePrefix = 'node-role.kubernetes.io/';

function rolesOf({ metadata }: V1Node): string {
  const labels = Object.entries(metadata?.labels ?? {});
  const roles = labels.flatMap(([key, value]) => {
    if (key.startsWith(rolePrefix)) return key.length > rolePrefix.length ? [key.slice(rolePrefix.length)] : [];
    return key === 'kubernetes.io/role' && value !== '' ? [value] : [];
  });
  return [...new Set(roles)].sort().join(',') || '<none>';
}

async function lease(page: Page, name: string, { client }: Surroundings): Promise<void> {
  let found: Live<V1Lease>;
  try {
    found = await client.get(leases, name, { namespace: 'kube-node-lease' });
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    page.line(0, 'Lease:', `Failed to get lease: ${error.message}`);
    return;
  }
  const { holderIdentity, acquireTime, renewTime } = found.spec ?? {};
  page.line(0, 'Lease:');
  page.line(1, 'HolderIdentity:', holderIdentity ?? '<unset>');
  page.line(1, 'AcquireTime:', acquireTime ? moment(acquireTime) : '<unset>');
  page.line(1, 'RenewTime:', renewTime ? moment(renewTime) : '<unset>');
}

function taints(page: Page, { spec }: V1Node): void {
  const sorted = [...(spec?.taints ?? [])].sort((a, b) => (`${a.effect},${a.key}` < `${b.effect},${b.key}` ? -1 : 1));
  page.list(
    'Taints',
    sorted.map(({ key, value, effect }) => {
      if (!effect) return value ? `${key}=${value}:` : key;
      return value ? `${key}=${value}:${effect}` : `${key}:${effect}`;
    }),
  );
}

function conditions(page: Page, { status }: V1Node): void {
  if (!status?.conditions?.length) return;
  page.line(0, 'Conditions:');
  page.line(1, 'Type', 'Status', 'LastHeartbeatTime', 'LastTransitionTime', 'Reason', 'Message');
  page.line(1, '----', '------', '-----------------', '------------------', '------', '-------');
  for (const one of status.conditions) {
    const times = [`${moment(one.lastHeartbeatTime)} `, `${moment(one.lastTransitionTime)} `];
    page.line(1, `${one.type} `, `${one.status} `, ...times, `${one.reason ?? ''} `, one.message ?? '');
  }
}

function amounts(page: Page, title: string, map: Readonly<Record<string, string>> | undefined): void {
  const entries = Object.entries(map ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  if (entries.length > 0) page.line(0, `${title}:`);
  for (const [name, amount] of entries) page.line(1, `${name}:`, amount);
}

function system(page: Page, { status, spec }: V1Node): void {
  const info = status?.nodeInfo;
  page.line(0, 'System Info:');
  for (const [title, value] of [
    ['Machine ID', info?.machineID],
    ['System UUID', info?.systemUUID],
    ['Boot ID', info?.bootID],
    ['Kernel Version', info?.kernelVersion],
    ['OS Image', info?.osImage],
    ['Operating System', info?.operatingSystem],
    ['Architecture', info?.architecture],
    ['Container Runtime Version', info?.containerRuntimeVersion],
    ['Kubelet Version', info?.kubeletVersion],
    ['Kube-Proxy Version', info?.kubeProxyVersion],
  ])
    page.line(1, `${title}:`, value ?? '');
  if (spec?.podCIDR) page.line(0, 'PodCIDR:', spec.podCIDR);
  if (spec?.podCIDRs?.length) page.line(0, 'PodCIDRs:', spec.podCIDRs.join(','));
  if (spec?.providerID) page.line(0, 'ProviderID:', spec.providerID);
}

/** The pods of a node that have not ended; undefined where they may not be seen. */
async function podsOn(name: string, { client }: Surroundings): Promise<readonly Live<V1Pod>[] | undefined> {
  try {
    const fieldSelector = `spec.nodeName=${name},status.phase!=Succeeded,status.phase!=Failed`;
    return (await client.list(pods, { fieldSelector })).items;
  } catch (error) {
    if (hasReason(error, 'Forbidden')) return undefined;
    throw error;
  }
}

export const describeNode: Describer<V1Node> = async (page, node, around) => {
  const { metadata, spec, status } = node;
  page.line(0, 'Name:', metadata.name);
  page.line(0, 'Roles:', rolesOf(node));
  labelsAndAnnotations(page, metadata);
  page.line(0, 'CreationTimestamp:', moment(metadata.creationTimestamp));
  taints(page, node);
  page.line(0, 'Unschedulable:', spec?.unschedulable === true);
  await lease(page, metadata.name, around);
  conditions(page, node);
  page.line(0, 'Addresses:');
  for (const { type, address } of status?.addresses ?? []) page.line(1, `${type}:`, address);
  amounts(page, 'Capacity', status?.capacity);
  amounts(page, 'Allocatable', status?.allocatable);
  system(page, node);
  const running = await podsOn(metadata.name, around);
  if (running) nodeResources(page, node, running, around.now);
  else page.line(0, 'Pods:', 'not authorized');
  // Events name a node by its uid or, those of kubelets, by its name.
  const [byUid, byName] = await Promise.all(
    [metadata.uid, metadata.name].map((uid) => eventsAbout({ kind: 'Node', name: metadata.name, uid }, around)),
  );
  writeEvents(page, byUid && [...byUid, ...(byName ?? [])], around.now);
};
