import { isSysError, strerror } from '../../errno.ts';
import { become, prepare, searchPath } from '../../kernel/exec.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import { readNames } from '../names.ts';

/** Replaces this process's program; says why not when there is none. */
export async function execCommand(a: Applet, argv: readonly string[]): Promise<number> {
  await a.flush();
  const name = argv[0] ?? '';
  const path = searchPath(a.p, name);
  try {
    if (path === undefined) throw Object.assign(new Error(), { code: 'ENOENT' });
    return await become(a.p, prepare(a.p, path, argv));
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (!isSysError(error) && code !== 'ENOENT') throw error;
    const why = code === 'ENOENT' ? 'No such file or directory' : strerror(error);
    await a.warn(
      a.flavour === 'gnu'
        ? a.name === 'env'
          ? `'${name}': ${why}`
          : `failed to run command '${name}': ${why}`
        : `can't execute '${name}': ${why}`,
    );
    return code === 'ENOENT' ? 127 : 126;
  }
}

/** env [-i0] [-u NAME] [NAME=VALUE]… [COMMAND…] */
export async function env(a: Applet): Promise<number> {
  const args = a.args.map((word) => (word === '-' ? '-i' : word));
  const options = a.options(
    '+i0u:vS:C:',
    { 'ignore-environment': 'i', unset: 'u', null: '0', 'split-string': 'S' },
    args,
  );
  const split = options.value('S');
  const words = [...(split === undefined ? [] : split.split(/\s+/).filter((word) => word !== '')), ...options.rest];
  if (options.has('i')) a.p.env = new Map();
  for (const name of options.all('u')) a.p.env.delete(name);
  while (words[0]?.includes('=')) {
    const word = words.shift() ?? '';
    const at = word.indexOf('=');
    a.p.env.set(word.slice(0, at), word.slice(at + 1));
  }
  if (words.length > 0) return execCommand(a, words);
  for (const [key, value] of a.p.env) await a.out(`${key}=${value}${options.has('0') ? '\0' : '\n'}`);
  return 0;
}

/** printenv [NAME]… */
export async function printenv(a: Applet): Promise<number> {
  if (a.args.length === 0) {
    for (const [key, value] of a.p.env) await a.out(`${key}=${value}\n`);
    return 0;
  }
  let status = 0;
  for (const name of a.args) {
    const value = a.p.env.get(name);
    if (value === undefined) status = 1;
    else await a.out(`${value}\n`);
  }
  return status;
}

/** id [-ugGnr] [USER] */
export async function id(a: Applet): Promise<number> {
  const options = a.options('ugGnr', { user: 'u', group: 'g', groups: 'G', name: 'n' });
  const names = readNames(a.p);
  let { uid, gid, groups } = a.p.credentials;
  const [user] = options.rest;
  if (user !== undefined) {
    const found = names.uid(user);
    const entry = found === undefined ? undefined : names.entry(found);
    if (found === undefined || !entry)
      throw new Failure(a.flavour === 'gnu' ? `'${user}': no such user` : `unknown user ${user}`);
    uid = found;
    gid = entry.gid;
    groups = [gid];
  }
  const all = [...new Set([gid, ...groups])];
  const byName = options.has('n');
  if (options.has('u')) await a.out(`${byName ? (names.user(uid) ?? uid) : uid}\n`);
  else if (options.has('g')) await a.out(`${byName ? (names.group(gid) ?? gid) : gid}\n`);
  else if (options.has('G')) await a.out(`${all.map((one) => (byName ? (names.group(one) ?? one) : one)).join(' ')}\n`);
  else {
    const label = (number: number, name: string | undefined): string =>
      name === undefined ? String(number) : `${number}(${name})`;
    const list = all.map((one) => label(one, names.group(one))).join(',');
    await a.out(`uid=${label(uid, names.user(uid))} gid=${label(gid, names.group(gid))} groups=${list}\n`);
  }
  return 0;
}

/** whoami */
export async function whoami(a: Applet): Promise<number> {
  const { uid } = a.p.credentials;
  const name = readNames(a.p).user(uid);
  if (name === undefined)
    throw new Failure(a.flavour === 'gnu' ? `cannot find name for user ID ${uid}` : `unknown uid ${uid}`);
  await a.out(`${name}\n`);
  return 0;
}

/** groups */
export async function groups(a: Applet): Promise<number> {
  const names = readNames(a.p);
  const { gid, groups: more } = a.p.credentials;
  await a.out(`${[...new Set([gid, ...more])].map((one) => names.group(one) ?? one).join(' ')}\n`);
  return 0;
}

/** hostname [-s] [-f] [-i] [-I] */
export async function hostname(a: Applet): Promise<number> {
  const options = a.options('sfidIF:', { fqdn: 'f', short: 's', 'ip-address': 'i', 'all-ip-addresses': 'I' });
  if (options.rest.length > 0) throw new Failure('sethostname: Operation not permitted');
  const { hostname: name, net } = a.p.workload;
  const text = options.has('I')
    ? `${net.ips.join(' ')} `
    : options.has('i')
      ? net.ips.join(' ')
      : options.has('s')
        ? (name.split('.')[0] ?? name)
        : options.has('d')
          ? name.split('.').slice(1).join('.')
          : name;
  await a.out(`${text}\n`);
  return 0;
}

/** uname [-amnrspvio] */
export async function uname(a: Applet): Promise<number> {
  const options = a.options('amnrspvio', {
    all: 'a',
    machine: 'm',
    nodename: 'n',
    'kernel-release': 'r',
    'kernel-name': 's',
  });
  const { machine, hostname: name } = a.p.workload;
  const arch = { amd64: 'x86_64', arm64: 'aarch64' }[machine.architecture] ?? machine.architecture;
  const fields: readonly (readonly [string, string])[] = [
    ['s', 'Linux'],
    ['n', name],
    ['r', machine.kernelVersion],
    ['v', '#1 SMP PREEMPT_DYNAMIC'],
    ['m', arch],
    ['o', 'GNU/Linux'],
  ];
  const none = options.order.length === 0;
  const shown = fields.filter(([letter]) => options.has('a') || options.has(letter) || (none && letter === 's'));
  const extra = options.has('a') ? [] : ['p', 'i'].filter((letter) => options.has(letter)).map(() => 'unknown');
  await a.out(`${[...shown.map(([, text]) => text), ...extra].join(' ')}\n`);
  return 0;
}

/** nproc: the CPUs of the machine, as the affinity mask (not the quota) says. */
export async function nproc(a: Applet): Promise<number> {
  await a.out(`${a.p.workload.machine.cpus}\n`);
  return 0;
}

/** tty [-s] */
export async function tty(a: Applet): Promise<number> {
  const terminal = a.p.fds[0]?.kind === 'tty';
  if (!a.args.includes('-s')) await a.out(terminal ? '/dev/pts/0\n' : 'not a tty\n');
  return terminal ? 0 : 1;
}

/** stty [size|raw|-echo|…] */
export async function stty(a: Applet): Promise<number> {
  const terminal = a.p.fds[0]?.tty;
  if (!terminal)
    throw new Failure(
      a.flavour === 'gnu'
        ? "'standard input': Inappropriate ioctl for device"
        : 'standard input: Inappropriate ioctl for device'.replace('Inappropriate ioctl for device', 'Not a tty'),
    );
  for (const word of a.args.length === 0 ? ['-a'] : a.args) {
    if (word === 'size') await a.out(`${terminal.rows} ${terminal.columns}\n`);
    else if (word === '-a') await a.out(`speed 38400 baud; rows ${terminal.rows}; columns ${terminal.columns};\n`);
    else if (word === 'raw' || word === '-icanon' || word === 'cbreak') terminal.canonical = false;
    else if (word === 'sane' || word === '-raw' || word === 'icanon' || word === 'cooked') {
      terminal.canonical = true;
      terminal.echo = true;
    } else if (word === 'echo' || word === '-echo') terminal.echo = word === 'echo';
    else if (word === 'isig' || word === '-isig') terminal.signals = word === 'isig';
  }
  return 0;
}

/** nohup COMMAND… */
export async function nohup(a: Applet): Promise<number> {
  if (a.args.length === 0) throw usage(a);
  a.p.handle('HUP', 'ignore');
  if (a.p.fds[1]?.kind === 'tty') {
    const file = a.p.openFile('nohup.out', { write: true, create: true, append: true });
    await a.p.complain(`${a.name}: appending output to nohup.out\n`);
    a.p.install(file, 1);
    if (a.p.fds[2]?.kind === 'tty') a.p.install(file, 2);
  }
  return execCommand(a, a.args);
}

/** nice, setsid, stdbuf, unbuffer: run the command as it is. */
export async function plainRunner(a: Applet): Promise<number> {
  const words = [...a.args];
  while (words[0]?.startsWith('-')) {
    const word = words.shift() ?? '';
    if (a.name === 'nice' && word === '-n') words.shift();
  }
  if (a.name === 'chroot') {
    if (a.p.credentials.uid !== 0)
      throw new Failure(`can't change root directory to '${words[0]}': Operation not permitted`);
    if (words[0] !== '/') throw new Failure('the simulated runtime has no chroot to another directory than /');
    words.shift();
  }
  if (a.name === 'setsid') a.p.pgid = a.p.pid;
  if (words.length === 0) throw usage(a);
  return execCommand(a, words);
}

/** su USER -c COMMAND, gosu/su-exec USER COMMAND: only root may. */
export async function switchUser(a: Applet): Promise<number> {
  const words = a.args.filter((word) => word !== '-' && word !== '-l');
  let command: readonly string[];
  let user: string;
  if (a.name === 'su') {
    const at = words.indexOf('-c');
    user = (at === 0 ? words[2] : words[0]) ?? 'root';
    command = at < 0 ? ['sh'] : ['sh', '-c', words[at + 1] ?? ''];
  } else [user = '', ...command] = words;
  const names = readNames(a.p);
  const [name = '', group] = user.split(':');
  const uid = names.uid(name);
  if (uid === undefined)
    throw new Failure(
      a.name === 'su'
        ? `unknown user ${name}`
        : `error: unable to find user ${name}: no matching entries in passwd file`,
    );
  if (a.p.credentials.uid !== 0 && uid !== a.p.credentials.uid)
    throw new Failure(
      a.name === 'su'
        ? 'must be suid to work properly'
        : `error: failed switching to "${user}": operation not permitted`,
    );
  const gid = group === undefined ? (names.entry(uid)?.gid ?? uid) : (names.gid(group) ?? uid);
  a.p.credentials = { uid, gid, groups: [gid], override: uid === 0 && a.p.credentials.override };
  a.p.env.set('HOME', names.entry(uid)?.home ?? '/');
  return execCommand(a, command);
}
