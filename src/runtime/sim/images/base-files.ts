import { appletNames } from '../programs/applets.ts';
import type { ImageFile, ImageFiles } from '../vfs/image-tree.ts';

/** Not part of busybox, though its programs are of the same kind. */
const notBusybox = new Set(['getent', 'ss', 'gosu', 'su-exec', 'stdbuf', 'netcat', 'pgrep', 'pkill', 'hd']);

const entries = (make: (name: string) => readonly [string, ImageFile], names: readonly string[]): ImageFiles =>
  Object.fromEntries(names.map(make));

const busyboxPrograms = (dir: string): ImageFiles => ({
  ...entries(
    (name) => [`${dir}/${name}`, { program: 'busybox', memoryKiB: 640 }],
    [...appletNames.filter((name) => !notBusybox.has(name)), 'ash', 'sh', 'busybox', 'pgrep', 'pkill', 'hd'],
  ),
});

const directory = (mode = 0o755, uid = 0, gid = 0): ImageFile => ({ directory: true, mode, uid, gid });

const common: ImageFiles = {
  '/tmp': directory(0o1777),
  '/root': directory(0o700),
  '/home': directory(),
  '/proc': directory(0o555),
  '/sys': directory(0o555),
  '/dev': directory(),
  '/var/tmp': directory(0o1777),
  '/etc/hosts': '127.0.0.1\tlocalhost\n',
};

/** The files of docker.io/library/busybox. */
export const busyboxFiles: ImageFiles = {
  ...common,
  ...busyboxPrograms('/bin'),
  '/usr/bin/env': { program: 'busybox', memoryKiB: 640 },
  '/home': directory(0o755, 65534, 65534),
  '/var/spool/mail': directory(),
  '/var/www': directory(),
  '/etc/passwd':
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nbin:x:2:2:bin:/bin:/bin/false\nsys:x:3:3:sys:/dev:/bin/false\nsync:x:4:100:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/spool/mail:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\noperator:x:37:37:Operator:/var:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n',
  '/etc/group':
    'root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nlp:x:7:\nmail:x:8:\nkmem:x:9:\nwheel:x:10:root\ncdrom:x:11:\ndialout:x:18:\nfloppy:x:19:\nvideo:x:28:\naudio:x:29:\ntape:x:32:\nwww-data:x:33:\noperator:x:37:\nutmp:x:43:\nplugdev:x:46:\nstaff:x:50:\nlock:x:54:\nnetdev:x:82:\nusers:x:100:\nnobody:x:65534:\n',
  '/etc/shadow': { text: 'root:*:10933:0:99999:7:::\nnobody:*:10933:0:99999:7:::\n', mode: 0o600 },
};

/** The files of docker.io/library/alpine. */
export function alpineFiles(version: string): ImageFiles {
  return {
    ...common,
    ...busyboxPrograms('/bin'),
    '/usr/bin/env': { program: 'busybox', memoryKiB: 640 },
    '/usr/bin/getent': { program: 'getent' },
    '/sbin/apk': { program: 'no-package-manager' },
    '/etc/alpine-release': `${version}\n`,
    '/etc/os-release': `NAME="Alpine Linux"\nID=alpine\nVERSION_ID=${version}\nPRETTY_NAME="Alpine Linux v${version.split('.').slice(0, 2).join('.')}"\nHOME_URL="https://alpinelinux.org/"\nBUG_REPORT_URL="https://gitlab.alpinelinux.org/alpine/aports/-/issues"\n`,
    '/etc/passwd':
      'root:x:0:0:root:/root:/bin/sh\nbin:x:1:1:bin:/bin:/sbin/nologin\ndaemon:x:2:2:daemon:/sbin:/sbin/nologin\nmail:x:8:12:mail:/var/mail:/sbin/nologin\nguest:x:405:100:guest:/dev/null:/sbin/nologin\nnobody:x:65534:65534:nobody:/:/sbin/nologin\n',
    '/etc/group':
      'root:x:0:root\nbin:x:1:root,bin,daemon\ndaemon:x:2:root,bin,daemon\nsys:x:3:root,bin\nadm:x:4:root,daemon\ntty:x:5:\ndisk:x:6:root\nwheel:x:10:root\nmail:x:12:mail\nusers:x:100:games\nnogroup:x:65533:\nnobody:x:65534:\n',
    '/var/cache': directory(),
    '/var/log': directory(),
    '/opt': directory(),
    '/srv': directory(),
    '/mnt': directory(),
  };
}

const gnuNames =
  '[ base64 basename cat chgrp chmod chown cmp cp cut date dd df diff dirname du echo egrep env expr fgrep find fold grep groups gunzip gzip head hostname id link ln ls md5sum mkdir mkfifo mktemp mount mountpoint mv nice nl nohup nproc od paste printenv printf pwd readlink realpath rev rm rmdir sed seq setsid sha1sum sha256sum sha512sum sleep sort stat stdbuf stty su sync tac tail tee test timeout touch tr true false truncate tty umount uname uniq unlink wc which whoami xargs yes zcat getent clear awk tar'.split(
    ' ',
  );

export interface Distribution {
  readonly id: 'debian' | 'ubuntu';
  readonly version: string;
  readonly name: string;
  readonly codename: string;
}

export const bookworm: Distribution = { id: 'debian', version: '12', name: 'Debian GNU/Linux', codename: 'bookworm' };

/** The files of debian and ubuntu images, and of what is built on them. `extra` names more GNU programs: `ps`, `curl`. */
export function debianFiles({ id, version, name, codename }: Distribution, extra: readonly string[] = []): ImageFiles {
  const title = id === 'debian' ? `${version} (${codename})` : `${version} LTS (${codename})`;
  return {
    ...common,
    ...entries((program) => [`/usr/bin/${program}`, { program: `gnu/${program}` }], [...gnuNames, ...extra]),
    '/usr/bin/bash': { program: 'bash', memoryKiB: 3400 },
    '/usr/bin/dash': { program: 'dash', memoryKiB: 900 },
    '/usr/bin/sh': { program: 'dash', memoryKiB: 900 },
    '/usr/bin/apt': { program: 'no-package-manager' },
    '/usr/bin/apt-get': { program: 'no-package-manager' },
    '/usr/bin/dpkg': { program: 'no-package-manager' },
    '/bin': { link: 'usr/bin' },
    '/sbin': { link: 'usr/sbin' },
    '/usr/sbin': directory(),
    '/lib': { link: 'usr/lib' },
    '/usr/lib': directory(),
    '/usr/local/bin': directory(),
    '/etc/debian_version': id === 'debian' ? `${version}.9\n` : 'trixie/sid\n',
    '/etc/os-release': `PRETTY_NAME="${name} ${title}"\nNAME="${name}"\nVERSION_ID="${version}"\nVERSION="${title}"\nVERSION_CODENAME=${codename}\nID=${id}\n${id === 'ubuntu' ? 'ID_LIKE=debian\n' : ''}HOME_URL="https://www.${id}.${id === 'debian' ? 'org' : 'com'}/"\n`,
    '/etc/passwd':
      'root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nsys:x:3:3:sys:/dev:/usr/sbin/nologin\nsync:x:4:65534:sync:/bin:/bin/sync\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nbackup:x:34:34:backup:/var/backups:/usr/sbin/nologin\n_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n',
    '/etc/group':
      'root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nmail:x:8:\nwww-data:x:33:\nstaff:x:50:\nusers:x:100:\nnogroup:x:65534:\n',
    '/var/log': directory(),
    '/var/cache': directory(),
    '/var/lib': directory(),
    '/run': directory(),
    '/opt': directory(),
    '/srv': directory(),
    '/mnt': directory(),
  };
}
