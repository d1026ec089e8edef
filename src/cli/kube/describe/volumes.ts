import type { V1Volume } from '../../../api/generated/types.ts';
import { parseQuantity, signOfQuantity } from '../../../api/quantity.ts';
import { claimLines } from './claim-lines.ts';
import { goList, type Page, pairs } from './page.ts';

type Source = Readonly<Record<string, unknown>>;
type Field = readonly [title: string, value: (source: Source) => unknown];

interface Shape {
  /** The value of `Type:`. */
  readonly type: string;
  readonly fields: readonly Field[];
}

const text =
  (key: string, absent = '') =>
  (source: Source): unknown =>
    source[key] ?? absent;
const flag =
  (key: string) =>
  (source: Source): boolean =>
    source[key] === true;
const all =
  (key: string) =>
  (source: Source): string =>
    goList(source[key] as readonly unknown[] | undefined);
/** Go prints a pointer to a reference as `&LocalObjectReference{Name:x,}`, none as `nil`. */
const reference =
  (key: string) =>
  (source: Source): string => {
    const it = source[key] as { readonly name?: string; readonly namespace?: string } | undefined;
    if (!it) return 'nil';
    return it.namespace === undefined
      ? `&LocalObjectReference{Name:${it.name ?? ''},}`
      : `&SecretReference{Name:${it.name ?? ''},Namespace:${it.namespace},}`;
  };
const shape = (type: string, ...fields: readonly Field[]): Shape => ({ type, fields });
const readOnly: Field = ['ReadOnly:', flag('readOnly')];
const fsType: Field = ['FSType:', text('fsType')];
const optional: Field = ['Optional:', flag('optional')];

const sizeLimit = (source: Source): string => {
  const limit = source['sizeLimit'] as string | undefined;
  return limit !== undefined && signOfQuantity(parseQuantity(limit)) > 0 ? limit : '<unset>';
};

/** What each source of a volume is called and shows, in the order of the page. */
const shapes: Readonly<Record<string, Shape>> = {
  hostPath: shape(
    'HostPath (bare host directory volume)',
    ['Path:', text('path')],
    ['HostPathType:', text('type', '<none>')],
  ),
  emptyDir: shape(
    "EmptyDir (a temporary directory that shares a pod's lifetime)",
    ['Medium:', text('medium')],
    ['SizeLimit:', sizeLimit],
  ),
  gcePersistentDisk: shape(
    'GCEPersistentDisk (a Persistent Disk resource in Google Compute Engine)',
    ['PDName:', text('pdName')],
    fsType,
    ['Partition:', text('partition', '0')],
    readOnly,
  ),
  awsElasticBlockStore: shape(
    'AWSElasticBlockStore (a Persistent Disk resource in AWS)',
    ['VolumeID:', text('volumeID')],
    fsType,
    ['Partition:', text('partition', '0')],
    readOnly,
  ),
  gitRepo: shape(
    'GitRepo (a volume that is pulled from git when the pod is created)',
    ['Repository:', text('repository')],
    ['Revision:', text('revision')],
  ),
  secret: shape('Secret (a volume populated by a Secret)', ['SecretName:', text('secretName')], optional),
  configMap: shape('ConfigMap (a volume populated by a ConfigMap)', ['Name:', text('name')], optional),
  nfs: shape(
    'NFS (an NFS mount that lasts the lifetime of a pod)',
    ['Server:', text('server')],
    ['Path:', text('path')],
    readOnly,
  ),
  iscsi: shape(
    "ISCSI (an ISCSI Disk resource that is attached to a kubelet's host machine and then exposed to the pod)",
    ['TargetPortal:', text('targetPortal')],
    ['IQN:', text('iqn')],
    ['Lun:', text('lun', '0')],
    ['ISCSIInterface', text('iscsiInterface')],
    fsType,
    readOnly,
    ['Portals:', all('portals')],
    ['DiscoveryCHAPAuth:', flag('chapAuthDiscovery')],
    ['SessionCHAPAuth:', flag('chapAuthSession')],
    ['SecretRef:', reference('secretRef')],
    ['InitiatorName:', text('initiatorName', '<none>')],
  ),
  persistentVolumeClaim: shape(
    'PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)',
    ['ClaimName:', text('claimName')],
    readOnly,
  ),
  rbd: shape(
    "RBD (a Rados Block Device mount on the host that shares a pod's lifetime)",
    ['CephMonitors:', all('monitors')],
    ['RBDImage:', text('image')],
    fsType,
    ['RBDPool:', text('pool')],
    ['RadosUser:', text('user')],
    ['Keyring:', text('keyring')],
    ['SecretRef:', reference('secretRef')],
    readOnly,
  ),
  azureDisk: shape(
    'AzureDisk (an Azure Data Disk mount on the host and bind mount to the pod)',
    ['DiskName:', text('diskName')],
    ['DiskURI:', text('diskURI')],
    ['Kind: ', text('kind')],
    fsType,
    ['CachingMode:', text('cachingMode')],
    readOnly,
  ),
  azureFile: shape(
    'AzureFile (an Azure File Service mount on the host and bind mount to the pod)',
    ['SecretName:', text('secretName')],
    ['ShareName:', text('shareName')],
    readOnly,
  ),
  vsphereVolume: shape(
    'vSphereVolume (a Persistent Disk resource in vSphere)',
    ['VolumePath:', text('volumePath')],
    fsType,
    ['StoragePolicyName:', text('storagePolicyName')],
  ),
  cinder: shape('Cinder (a Persistent Disk resource in OpenStack)', ['VolumeID:', text('volumeID')], fsType, readOnly, [
    'SecretRef:',
    reference('secretRef'),
  ]),
  cephfs: shape(
    "CephFS (a CephFS mount on the host that shares a pod's lifetime)",
    ['Monitors:', all('monitors')],
    ['Path:', text('path')],
    ['User:', text('user')],
    ['SecretFile:', text('secretFile')],
    ['SecretRef:', reference('secretRef')],
    readOnly,
  ),
  fc: shape(
    'FC (a Fibre Channel disk)',
    ['TargetWWNs:', (source) => ((source['targetWWNs'] as readonly string[] | undefined) ?? []).join(', ')],
    ['LUN:', text('lun', '<none>')],
    fsType,
    readOnly,
  ),
  local: shape('LocalVolume (a persistent volume backed by local storage on a node)', ['Path:', text('path')]),
  image: shape(
    'Image (a container image or OCI artifact)',
    ['Reference:', text('reference')],
    ['PullPolicy:', text('pullPolicy')],
  ),
};

const csi = (page: Page, source: Source): void => {
  page.line(2, 'Type:', 'CSI (a Container Storage Interface (CSI) volume source)');
  page.line(2, 'Driver:', source['driver']);
  page.line(2, 'FSType:', source['fsType'] ?? '');
  if (source['volumeHandle'] !== undefined) page.line(2, 'VolumeHandle:', source['volumeHandle']);
  page.line(2, 'ReadOnly:', source['readOnly'] === true);
  const lines = pairs(source['volumeAttributes'] as Readonly<Record<string, string>> | undefined);
  // Every value is written with the indent of its level once more, as kubectl does.
  const cut = lines.map((line) => `    ${line.length > 140 ? `${line.slice(0, 140)}...` : line}`);
  page.list('VolumeAttributes', cut, '    ', '        ');
};

function projected(page: Page, source: NonNullable<V1Volume['projected']>): void {
  page.line(2, 'Type:', 'Projected (a volume that contains injected data from multiple sources)');
  for (const one of source.sources ?? []) {
    if (one.secret) {
      page.line(2, 'SecretName:', one.secret.name ?? '');
      page.line(2, 'Optional:', one.secret.optional === true);
    } else if (one.downwardAPI) page.line(2, 'DownwardAPI:', true);
    else if (one.configMap) {
      page.line(2, 'ConfigMapName:', one.configMap.name ?? '');
      page.line(2, 'Optional:', one.configMap.optional === true);
    } else if (one.serviceAccountToken) {
      page.line(2, 'TokenExpirationSeconds:', one.serviceAccountToken.expirationSeconds);
    }
  }
}

function downward(page: Page, source: NonNullable<V1Volume['downwardAPI']>): void {
  page.line(2, 'Type:', 'DownwardAPI (a volume populated by information about the pod)');
  page.line(2, 'Items:');
  for (const { fieldRef, resourceFieldRef, path } of source.items ?? []) {
    if (fieldRef) page.line(3, `${fieldRef.fieldPath} -> ${path}`);
    if (resourceFieldRef) page.line(3, `${resourceFieldRef.resource} -> ${path}`);
  }
}

function ephemeral(page: Page, source: NonNullable<V1Volume['ephemeral']>): void {
  page.line(
    2,
    'Type:',
    'EphemeralVolume (an inline specification for a volume that gets created and deleted with the pod)',
  );
  if (source.volumeClaimTemplate) claimLines(page, source.volumeClaimTemplate, 2);
}

/** The source of a volume, of a pod or of a persistent one; `<unknown>` for one this page has no words for. */
export function volumeSource(page: Page, volume: object): void {
  const sources = volume as Readonly<Record<string, Source | undefined>> & V1Volume;
  if (sources.projected) {
    projected(page, sources.projected);
    return;
  }
  if (sources.downwardAPI) {
    downward(page, sources.downwardAPI);
    return;
  }
  if (sources.ephemeral) {
    ephemeral(page, sources.ephemeral);
    return;
  }
  if (sources.csi) {
    csi(page, sources.csi as unknown as Source);
    return;
  }
  const key = Object.keys(shapes).find((name) => sources[name] !== undefined && sources[name] !== null);
  const known = key === undefined ? undefined : shapes[key];
  if (!key || !known) {
    page.line(1, '<unknown>');
    return;
  }
  page.line(2, 'Type:', known.type);
  for (const [title, value] of known.fields) page.line(2, title, value(sources[key] ?? {}));
}

/** The volumes of a pod or, with `indent`, of a pod template. */
export function volumes(page: Page, all: readonly V1Volume[] | undefined, indent = ''): void {
  if (!all?.length) {
    page.line(0, `${indent}Volumes:`, '<none>');
    return;
  }
  page.line(0, `${indent}Volumes:`);
  for (const volume of all) {
    page.line(1, `${indent && ' '}${volume.name}:`);
    volumeSource(page, volume);
  }
}
