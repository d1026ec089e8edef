import { isSysError } from '../../errno.ts';
import { baseName, prepare, searchPath, spawn } from '../../kernel/exec.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { find, may, resolve } from '../../vfs/mount-space.ts';
import { listPath, makeDirectories } from '../../vfs/operations.ts';
import { runApplet } from '../applet.ts';
import { execCommand } from '../system/identity.ts';

const ipv6 = '10-listen-on-ipv6-by-default.sh';

/** /docker-entrypoint.sh of the nginx images: the same steps and lines, then the command. */
export async function nginxEntrypoint(p: Process): Promise<number> {
  const command = p.argv.slice(p.argv[0]?.endsWith('.sh') ? 1 : 2);
  const quiet = (p.env.get('NGINX_ENTRYPOINT_QUIET_LOGS') ?? '') !== '';
  const say = async (text: string): Promise<void> => {
    if (!quiet) await p.print(`/docker-entrypoint.sh: ${text}\n`);
  };
  if (command[0] === 'nginx' || command[0] === 'nginx-debug') {
    const scripts = names(p, '/docker-entrypoint.d');
    if (scripts.length === 0) await say('No files found in /docker-entrypoint.d/, skipping configuration');
    else {
      await say('/docker-entrypoint.d/ is not empty, will attempt to perform configuration');
      await say('Looking for shell scripts in /docker-entrypoint.d/');
      for (const name of scripts) {
        const path = `/docker-entrypoint.d/${name}`;
        const { inode } = find(p.view, path);
        if (!name.endsWith('.sh') && !name.endsWith('.envsh')) await say(`Ignoring ${path}`);
        else if (!may(p.credentials, inode, 1)) await say(`Ignoring ${path}, not executable`);
        else if (name.endsWith('.envsh')) await say(`Sourcing ${path}`);
        else {
          await say(`Launching ${path}`);
          const code = await launch(p, path, name, quiet);
          if (code !== 0) return code;
        }
      }
      await say('Configuration complete; ready for start up');
    }
  }
  return runApplet((a) => execCommand(a, command), p, '/docker-entrypoint.sh', command, 'gnu');
}

const names = (p: Process, path: string): readonly string[] => {
  try {
    return listPath(p.view, path);
  } catch (error) {
    if (!isSysError(error)) throw error;
    return [];
  }
};

async function launch(p: Process, path: string, name: string, quiet: boolean): Promise<number> {
  const own = ((await readText(p, path)) ?? '').startsWith('# built in');
  if (!own) {
    const found = searchPath(p, path);
    return found === undefined ? 127 : (await p.wait(spawn(p, prepare(p, found, [path])))).code;
  }
  const note = async (text: string): Promise<void> => {
    if (!quiet) await p.print(`${name}: info: ${text}\n`);
  };
  if (name === ipv6) {
    const conf = '/etc/nginx/conf.d/default.conf';
    const text = await readText(p, conf);
    if (text === undefined) await note(`${conf} is not a file or does not exist`);
    else {
      const found = resolve(p.view, conf);
      if (found.readonly || !found.inode || !may(p.credentials, found.inode, 2))
        await note(`can not modify ${conf} (read-only file system?)`);
      else {
        await note(`Getting the checksum of ${conf}`);
        if (text.includes('listen       80;\n    server_name  localhost;')) {
          const fd = p.open(conf, { write: true, truncate: true });
          await p.write(fd, text.replace('listen       80;\n', 'listen       80;\n    listen  [::]:80;\n'));
          p.close(fd);
          await note(`Enabled listen on IPv6 in ${conf}`);
        } else await note(`${conf} differs from the packaged version`);
      }
    }
  }
  if (name.startsWith('20-envsubst')) await templates(p, name);
  return 0;
}

/** Fills the environment into /etc/nginx/templates/*.template. */
async function templates(p: Process, script: string): Promise<void> {
  const from = p.env.get('NGINX_ENVSUBST_TEMPLATE_DIR') ?? '/etc/nginx/templates';
  const suffix = p.env.get('NGINX_ENVSUBST_TEMPLATE_SUFFIX') ?? '.template';
  const to = p.env.get('NGINX_ENVSUBST_OUTPUT_DIR') ?? '/etc/nginx/conf.d';
  for (const name of names(p, from)) {
    if (!name.endsWith(suffix)) continue;
    const text = (await readText(p, `${from}/${name}`)) ?? '';
    const target = `${to}/${baseName(name).slice(0, -suffix.length)}`;
    await p.print(`${script}: Running envsubst on ${from}/${name} to ${target}\n`);
    try {
      makeDirectories(p.view, to);
      const fd = p.open(target, { write: true, create: true, truncate: true });
      const known = (key: string): string | undefined => p.env.get(key);
      await p.write(
        fd,
        text.replace(
          /\$\{(\w+)\}|\$(\w+)/g,
          (all, braced?: string, bare?: string) => known(braced ?? bare ?? '') ?? all,
        ),
      );
      p.close(fd);
    } catch (error) {
      if (!isSysError(error)) throw error;
      await p.print(`${script}: ERROR: ${from} exists, but ${to} is not writable\n`);
      return;
    }
  }
}
