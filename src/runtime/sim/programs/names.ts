import { readRootFile } from '../cri/users.ts';
import type { Process } from '../kernel/process.ts';

/** Users and groups of the container's files, by number and by name. */
export interface Names {
  user(uid: number): string | undefined;
  group(gid: number): string | undefined;
  uid(name: string): number | undefined;
  gid(name: string): number | undefined;
  /** The user's own entry of /etc/passwd. */
  entry(uid: number): { readonly gid: number; readonly home: string; readonly shell: string } | undefined;
}

/** Reads /etc/passwd and /etc/group. */
export function readNames(p: Process): Names {
  const rows = (path: string): string[][] => {
    let text = '';
    try {
      text = readRootFile(p.workload.space, path) ?? '';
    } catch {
      // No such directory: then there are no names.
    }
    return text.split('\n').map((line) => line.split(':'));
  };
  const passwd = rows('/etc/passwd');
  const group = rows('/etc/group');
  const byId = (table: string[][], id: number): string[] | undefined => table.find((row) => row[2] === String(id));
  const idOf = (table: string[][], name: string): number | undefined => {
    const row = table.find((candidate) => candidate[0] === name && name !== '');
    return row ? Number(row[2]) : undefined;
  };
  return {
    user: (uid) => byId(passwd, uid)?.[0],
    group: (gid) => byId(group, gid)?.[0],
    uid: (name) => (/^\d+$/.test(name) ? Number(name) : idOf(passwd, name)),
    gid: (name) => (/^\d+$/.test(name) ? Number(name) : idOf(group, name)),
    entry(uid) {
      const row = byId(passwd, uid);
      return row && { gid: Number(row[3]), home: row[5] || '/', shell: row[6] ?? '' };
    },
  };
}
