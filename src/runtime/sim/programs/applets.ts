import type { Applet } from './applet.ts';

export type AppletBody = (a: Applet) => number | Promise<number>;
type Module = Readonly<Record<string, unknown>>;

/** Which module has which commands; `name=export` where the two differ. Imported on first use. */
const modules: readonly (readonly [() => Promise<Module>, string])[] = [
  [() => import('./text/cat.ts'), 'cat tac rev nl echo printf tee yes seq'],
  [() => import('./text/head-tail.ts'), 'head tail'],
  [() => import('./text/grep.ts'), 'grep egrep=grep fgrep=grep'],
  [() => import('./text/sed.ts'), 'sed'],
  [() => import('./text/columns.ts'), 'cut wc tr uniq paste fold'],
  [() => import('./text/sort.ts'), 'sort'],
  [() => import('./text/diff.ts'), 'diff cmp'],
  [() => import('./files/ls.ts'), 'ls'],
  [
    () => import('./files/make.ts'),
    'mkdir rmdir touch chmod chown chgrp=chown mkfifo truncate fallocate=truncate mktemp',
  ],
  [() => import('./files/copy.ts'), 'cp mv ln rm unlink link=unlink'],
  [() => import('./files/paths.ts'), 'basename dirname readlink realpath which pwd'],
  [() => import('./files/stat.ts'), 'stat du df'],
  [() => import('./files/find.ts'), 'find'],
  [
    () => import('./files/bytes.ts'),
    'base64 md5sum=checksum sha1sum=checksum sha256sum=checksum sha512sum=checksum dd od hexdump=od hd=od xxd=od gzip gunzip=gzip zcat=gzip',
  ],
  [() => import('./files/tar.ts'), 'tar'],
  [() => import('./awk/awk.ts'), 'awk'],
  [() => import('./system/time.ts'), 'sleep usleep date timeout watch uptime'],
  [
    () => import('./system/identity.ts'),
    'env printenv id whoami groups hostname uname arch=uname nproc tty stty nohup nice=plainRunner setsid=plainRunner stdbuf=plainRunner chroot=plainRunner su=switchUser su-exec=switchUser gosu=switchUser',
  ],
  [() => import('./system/processes.ts'), 'ps kill killall pidof pgrep pkill=pgrep top free'],
  [() => import('./system/xargs.ts'), 'xargs'],
  [() => import('./system/misc.ts'), 'test [=test expr mount umount=mount mountpoint clear sysctl'],
  [() => import('./net/wget.ts'), 'wget'],
  [() => import('./net/nc.ts'), 'nc netcat=nc'],
  [() => import('./net/nslookup.ts'), 'nslookup getent'],
  [() => import('./net/addresses.ts'), 'ip ifconfig route netstat ss=netstat ping ping6=ping arp'],
  [() => import('./net/httpd.ts'), 'httpd'],
];

const finders = new Map<string, () => Promise<AppletBody>>();
for (const [load, words] of modules)
  for (const word of words.split(' ')) {
    const [name = '', exported = name] = word.split('=');
    finders.set(name, async () => (await load())[exported] as AppletBody);
  }
const constant =
  (value: number): (() => Promise<AppletBody>) =>
  async () =>
  () =>
    value;
finders.set('true', constant(0));
finders.set('false', constant(1));
finders.set('sync', constant(0));

/** Loads a command's body, or undefined when there is none of that name. */
export const findApplet = (name: string): (() => Promise<AppletBody>) | undefined => finders.get(name);

export const appletNames: readonly string[] = [...finders.keys()].sort();
