import { type ContainerSecurityContext, CriError } from '../../cri.ts';
import { isSysError } from '../errno.ts';
import { readData } from '../vfs/file-data.ts';
import { type Credentials, type MountSpace, resolve, rootCredentials } from '../vfs/mount-space.ts';

/** A file of the container as root sees it, or undefined. */
export function readRootFile(space: MountSpace, path: string): string | undefined {
  try {
    const { inode } = resolve({ space, credentials: rootCredentials, cwd: '/' }, path);
    return inode?.data ? Buffer.from(readData(inode.data, 0, 1 << 20)).toString() : undefined;
  } catch (error) {
    // Without the directory there is no file either.
    if (isSysError(error, 'ENOENT') || isSysError(error, 'ENOTDIR')) return undefined;
    throw error;
  }
}

const rows = (text: string | undefined): string[][] =>
  (text ?? '')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split(':'));

/** Default capabilities of containerd. */
export const defaultCapabilities = [
  'CHOWN',
  'DAC_OVERRIDE',
  'FSETID',
  'FOWNER',
  'MKNOD',
  'NET_RAW',
  'SETGID',
  'SETUID',
  'SETFCAP',
  'SETPCAP',
  'NET_BIND_SERVICE',
  'SYS_CHROOT',
  'KILL',
  'AUDIT_WRITE',
];

/** The capabilities of a container. */
export function capabilitiesOf(context: ContainerSecurityContext): ReadonlySet<string> {
  const clean = (name: string): string => name.toUpperCase().replace(/^CAP_/, '');
  const set = new Set(context.dropCapabilities.some((name) => clean(name) === 'ALL') ? [] : defaultCapabilities);
  for (const name of context.dropCapabilities) set.delete(clean(name));
  for (const name of context.addCapabilities) set.add(clean(name));
  return set;
}

/** Whom the container runs as. Throws containerd's `no users found` for an unknown name. */
export function credentialsOf(
  space: MountSpace,
  imageUser: string,
  context: ContainerSecurityContext,
  id: string,
): Credentials & { readonly home: string } {
  const passwd = rows(readRootFile(space, '/etc/passwd'));
  const group = rows(readRootFile(space, '/etc/group'));
  const text = context.runAsUser !== undefined ? String(context.runAsUser) : context.runAsUsername || imageUser || '0';
  const [user = '0', groupText] = text.split(':');
  const entry = passwd.find((row) => row[0] === user || row[2] === user);
  if (!entry && !/^\d+$/.test(user))
    throw new CriError(
      'Unknown',
      `failed to create containerd container: mount callback failed on /var/lib/containerd/tmpmounts/containerd-mount${id.slice(0, 10)}: no users found`,
    );
  const uid = Number(entry?.[2] ?? user);
  const namedGroup =
    groupText === undefined ? undefined : (group.find((row) => row[0] === groupText)?.[2] ?? groupText);
  const gid = context.runAsGroup ?? Number(namedGroup ?? entry?.[3] ?? 0);
  const listed =
    context.supplementalGroupsPolicy === 'Strict'
      ? []
      : group.filter((row) => entry && row[3]?.split(',').includes(entry[0] ?? '')).map((row) => Number(row[2]));
  const groups = [...new Set([gid, ...listed, ...context.supplementalGroups])];
  const override = uid === 0 && (context.privileged || capabilitiesOf(context).has('DAC_OVERRIDE'));
  return { uid, gid, groups, override, home: entry?.[5] || '/' };
}
