import type { Process } from '../../kernel/process.ts';
import { readNames } from '../names.ts';

/** What gosu does in entrypoints: root becomes the image's own user. */
export function dropRoot(p: Process, user: string): void {
  if (p.credentials.uid !== 0) return;
  const names = readNames(p);
  const uid = names.uid(user);
  if (uid === undefined) return;
  const gid = names.entry(uid)?.gid ?? uid;
  p.credentials = { uid, gid, groups: [gid], override: false };
}

/** Gives a directory and what is in it to a user, as entrypoints do while they are root. */
export function ownBy(
  p: Process,
  path: string,
  user: string,
  own: (path: string, uid: number, gid: number) => void,
): void {
  const names = readNames(p);
  const uid = names.uid(user);
  if (p.credentials.uid === 0 && uid !== undefined) own(path, uid, names.entry(uid)?.gid ?? uid);
}
