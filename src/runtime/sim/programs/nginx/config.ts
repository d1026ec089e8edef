import { isIP } from 'node:net';
import { SysError } from '../../errno.ts';
import type { Process } from '../../kernel/process.ts';
import { readText } from '../../net/read-text.ts';
import { lookupHost } from '../../net/sockets.ts';
import { matches } from '../../shell/pattern.ts';
import { listPath } from '../../vfs/operations.ts';
import { checkDirectives } from './directives.ts';
import { ConfError, type Directive, parseConf } from './parse-conf.ts';

/** What applies at a place, inherited from the blocks around it. */
export interface Scope {
  readonly root: string;
  readonly alias: string | undefined;
  readonly index: readonly string[];
  readonly answer: { readonly status: number; readonly text: string | undefined } | undefined;
  readonly tryFiles: readonly string[] | undefined;
  readonly proxy: string | undefined;
  readonly proxyHeaders: readonly (readonly [string, string])[];
  readonly headers: readonly { readonly name: string; readonly value: string; readonly always: boolean }[];
  readonly errorPages: ReadonlyMap<number, { readonly uri: string; readonly status: number | undefined }>;
  readonly autoindex: boolean;
  readonly defaultType: string;
  readonly maxBody: number;
  readonly accessLog: { readonly path: string; readonly format: string } | undefined;
  readonly status: boolean;
  readonly rules: readonly { readonly allow: boolean; readonly what: string }[];
  readonly tokens: boolean;
  readonly rewrites: readonly { readonly regex: RegExp; readonly to: string; readonly flag: string | undefined }[];
  readonly internal: boolean;
}

export interface Location {
  readonly kind: 'exact' | 'prefix' | 'stop' | 'regex';
  readonly path: string;
  readonly regex: RegExp | undefined;
  readonly scope: Scope;
  readonly locations: readonly Location[];
}

export interface Server {
  readonly names: readonly string[];
  readonly listens: readonly { readonly ip: string; readonly port: number; readonly isDefault: boolean }[];
  readonly scope: Scope;
  readonly locations: readonly Location[];
}

export interface Config {
  readonly servers: readonly Server[];
  readonly upstreams: ReadonlyMap<
    string,
    readonly { readonly host: string; readonly port: number; readonly ip: string }[]
  >;
  readonly daemon: boolean;
  readonly workers: number;
  readonly errorLog: string;
  readonly pid: string;
  readonly formats: ReadonlyMap<string, string>;
  readonly warnings: readonly string[];
}

const combined =
  '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"';

const start: Scope = {
  root: '/etc/nginx/html',
  alias: undefined,
  index: ['index.html'],
  answer: undefined,
  tryFiles: undefined,
  proxy: undefined,
  proxyHeaders: [],
  headers: [],
  errorPages: new Map(),
  autoindex: false,
  defaultType: 'text/plain',
  maxBody: 1 << 20,
  accessLog: { path: '/var/log/nginx/access.log', format: 'combined' },
  status: false,
  rules: [],
  tokens: true,
  rewrites: [],
  internal: false,
};

const sizeUnit: Readonly<Record<string, number>> = { '': 1, k: 1024, m: 1 << 20, g: 1 << 30 };

function bytes(text: string, { name, file, line }: Directive): number {
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  if (!match) throw new ConfError(`"${name}" directive invalid value in ${file}:${line}`);
  return Number(match[1]) * (sizeUnit[(match[2] ?? '').toLowerCase()] ?? 1);
}

/** Takes over what a block says. What a block says of headers, pages and rules replaces what it would inherit. */
function scopeOf(outer: Scope, directives: readonly Directive[]): Scope {
  const own: { -readonly [K in keyof Scope]?: Scope[K] } = {};
  const rewrites: Scope['rewrites'][number][] = [];
  for (const directive of directives) {
    const { name, args, file, line } = directive;
    const [first = '', second] = args;
    const at = `in ${file}:${line}`;
    switch (name) {
      case 'root':
        own.root = first.startsWith('/') ? first : `/etc/nginx/${first}`;
        break;
      case 'alias':
        own.alias = first;
        break;
      case 'index':
        own.index = args;
        break;
      case 'return': {
        const status = Number(first);
        if (Number.isNaN(status) && second !== undefined) throw new ConfError(`invalid return code "${first}" ${at}`);
        own.answer ??= Number.isNaN(status) ? { status: 302, text: first } : { status, text: second };
        break;
      }
      case 'try_files':
        own.tryFiles = args;
        break;
      case 'proxy_pass':
        if (!/^https?:\/\//.test(first) && !first.startsWith('$')) throw new ConfError(`invalid URL prefix ${at}`);
        if (first.startsWith('https://'))
          throw new ConfError(`proxy_pass to https is beyond what the simulated nginx does ${at}`);
        own.proxy = first;
        break;
      case 'proxy_set_header':
        own.proxyHeaders = [...(own.proxyHeaders ?? []), [first, second ?? '']];
        break;
      case 'add_header':
        own.headers = [...(own.headers ?? []), { name: first, value: second ?? '', always: args[2] === 'always' }];
        break;
      case 'error_page': {
        const pages = new Map(own.errorPages ?? []);
        const target = args[args.length - 1] ?? '';
        const codes = args.slice(0, -1);
        const override = codes.find((code) => code.startsWith('='));
        const status = override === undefined ? undefined : Number(override.slice(1)) || 200;
        for (const code of codes) if (!code.startsWith('=')) pages.set(Number(code), { uri: target, status });
        own.errorPages = pages;
        break;
      }
      case 'autoindex':
        own.autoindex = first === 'on';
        break;
      case 'default_type':
        own.defaultType = first;
        break;
      case 'client_max_body_size':
        own.maxBody = bytes(first, directive);
        break;
      case 'access_log':
        own.accessLog = first === 'off' ? undefined : { path: first, format: second ?? 'combined' };
        if (first === 'off') own.accessLog = undefined;
        break;
      case 'stub_status':
        own.status = true;
        break;
      case 'allow':
      case 'deny':
        own.rules = [...(own.rules ?? []), { allow: name === 'allow', what: first }];
        break;
      case 'server_tokens':
        own.tokens = first === 'on';
        break;
      case 'rewrite':
        rewrites.push({ regex: regex(first, '', at), to: second ?? '', flag: args[2] });
        break;
      case 'internal':
        own.internal = true;
        break;
      default:
    }
  }
  // What a block answers with is its own affair; the rest is inherited.
  return {
    ...outer,
    alias: undefined,
    answer: undefined,
    proxy: undefined,
    status: false,
    internal: false,
    tryFiles: undefined,
    ...own,
    rewrites,
  };
}

function regex(source: string, flags: string, at: string): RegExp {
  try {
    return new RegExp(source.replace(/^\(\?i\)/, '').replace(/\(\?P</g, '(?<'), /^\(\?i\)/.test(source) ? 'i' : flags);
  } catch {
    throw new ConfError(`pcre2_compile() failed: invalid expression in "${source}" ${at}`);
  }
}

function locationOf(outer: Scope, { args, block = [], file, line }: Directive): Location {
  const [modifier = '', path] = args.length > 1 ? args : ['', args[0]];
  const at = `in ${file}:${line}`;
  const kinds = { '': 'prefix', '=': 'exact', '^~': 'stop', '~': 'regex', '~*': 'regex' } as const;
  if (!Object.hasOwn(kinds, modifier)) throw new ConfError(`invalid location modifier "${modifier}" ${at}`);
  const kind = kinds[modifier as keyof typeof kinds];
  const scope = scopeOf(outer, block);
  return {
    kind,
    path: path ?? '/',
    regex: kind === 'regex' ? regex(path ?? '', modifier === '~*' ? 'i' : '', at) : undefined,
    scope,
    locations: block.filter((one) => one.name === 'location').map((one) => locationOf(scope, one)),
  };
}

function listenOf({ args, file, line }: Directive): Server['listens'][number] | undefined {
  const [address = ''] = args;
  if (address.startsWith('unix:')) return undefined;
  if (args.includes('ssl'))
    throw new ConfError(`listen with ssl is beyond what the simulated nginx does in ${file}:${line}`);
  const match = /^(?:(\[[^\]]*\]|[^:]*):)?(\d+)$/.exec(address);
  const isDefault = args.includes('default_server') || args.includes('default');
  const port = match ? Number(match[2]) : isIP(address) || address === 'localhost' || address === '*' ? 80 : undefined;
  if (port === undefined)
    throw new ConfError(`host not found in "${address}" of the "listen" directive in ${file}:${line}`);
  if (port < 1 || port > 65535)
    throw new ConfError(`invalid port in "${address}" of the "listen" directive in ${file}:${line}`);
  const ip = match ? (match[1] ?? '0.0.0.0').replace(/^\*$/, '0.0.0.0') : address;
  return { ip: ip === 'localhost' ? '127.0.0.1' : ip, port, isDefault };
}

/** Reads a file with everything it includes. */
async function load(p: Process, path: string, depth: number): Promise<readonly Directive[]> {
  if (depth > 10) throw new ConfError(`too many levels of includes in ${path}`);
  const text = await readText(p, path);
  if (text === undefined) {
    let why = '2: No such file or directory';
    try {
      p.close(p.open(path, { read: true }));
    } catch (error) {
      if (error instanceof SysError && error.code === 'EACCES') why = '13: Permission denied';
    }
    throw new ConfError(`open() "${path}" failed (${why})`);
  }
  const expand = async (directives: readonly Directive[]): Promise<Directive[]> => {
    const out: Directive[] = [];
    for (const directive of directives) {
      if (directive.name !== 'include') {
        out.push(directive.block ? { ...directive, block: await expand(directive.block) } : directive);
        continue;
      }
      const target = directive.args[0] ?? '';
      const full = target.startsWith('/') ? target : `/etc/nginx/${target}`;
      if (!/[*?[]/.test(full)) {
        try {
          out.push(...(await load(p, full, depth + 1)));
        } catch (error) {
          if (error instanceof ConfError && error.message.startsWith('open()'))
            throw new ConfError(`${error.message} in ${directive.file}:${directive.line}`);
          throw error;
        }
        continue;
      }
      const dir = full.slice(0, full.lastIndexOf('/'));
      let names: readonly string[] = [];
      try {
        names = listPath(p.view, dir);
      } catch (error) {
        // A pattern whose directory is absent matches nothing.
        if (!(error instanceof SysError)) throw error;
      }
      for (const name of names)
        if (matches(full.slice(dir.length + 1), name)) out.push(...(await load(p, `${dir}/${name}`, depth + 1)));
    }
    return out;
  };
  return expand(parseConf(text, path));
}

/** Loads and checks a configuration; `extra` are the directives of -g. Throws ConfError. */
export async function loadConfig(p: Process, path: string, extra: string): Promise<Config> {
  const directives = [...parseConf(extra, 'command line'), ...(await load(p, path, 0))];
  checkDirectives(directives, 'main');
  const warnings: string[] = [];
  const find = (name: string): Directive | undefined => directives.find((directive) => directive.name === name);
  const user = find('user');
  if (user && p.credentials.uid !== 0)
    warnings.push(
      `the "user" directive makes sense only if the master process runs with super-user privileges, ignored in ${user.file}:${user.line}`,
    );
  const events = find('events');
  if (!events) throw new ConfError('no "events" section in configuration');
  const http = find('http')?.block ?? [];
  const formats = new Map([['combined', combined]]);
  for (const { name, args } of http)
    if (name === 'log_format')
      formats.set(
        args[0] ?? '',
        args
          .slice(1)
          .filter((word) => !word.startsWith('escape='))
          .join(''),
      );
  const outer = scopeOf(start, http);
  const upstreams = new Map<string, { host: string; port: number; ip: string }[]>();
  for (const directive of http.filter(({ name }) => name === 'upstream')) {
    const members: { host: string; port: number; ip: string }[] = [];
    for (const { name, args, file, line } of directive.block ?? []) {
      if (name !== 'server') continue;
      const match = /^([^:]+)(?::(\d+))?$/.exec(args[0] ?? '');
      const host = match?.[1] ?? '';
      const found = await lookupHost(p, host);
      if (found.kind !== 'found') throw new ConfError(`host not found in upstream "${args[0]}" in ${file}:${line}`);
      for (const ip of found.addresses) members.push({ host, port: Number(match?.[2] ?? 80), ip });
    }
    if (members.length === 0)
      throw new ConfError(`no servers are inside upstream in ${directive.file}:${directive.line}`);
    upstreams.set(directive.args[0] ?? '', members);
  }
  const servers = http
    .filter(({ name }) => name === 'server')
    .map((directive): Server => {
      const block = directive.block ?? [];
      const scope = scopeOf(outer, block);
      const listens = block.filter(({ name }) => name === 'listen').flatMap((one) => listenOf(one) ?? []);
      return {
        names: block.filter(({ name }) => name === 'server_name').flatMap(({ args }) => args),
        listens:
          listens.length > 0
            ? listens
            : [{ ip: '0.0.0.0', port: p.credentials.uid === 0 ? 80 : 8000, isDefault: false }],
        scope,
        locations: block.filter(({ name }) => name === 'location').map((one) => locationOf(scope, one)),
      };
    });
  await checkProxies(p, http, upstreams);
  return {
    servers,
    upstreams,
    daemon: find('daemon')?.args[0] !== 'off',
    workers: workersOf(find('worker_processes')?.args[0], p),
    errorLog: find('error_log')?.args[0] ?? '/var/log/nginx/error.log',
    pid: find('pid')?.args[0] ?? '/run/nginx.pid',
    formats,
    warnings,
  };
}

const workersOf = (text: string | undefined, p: Process): number =>
  text === 'auto' ? Math.min(16, p.workload.machine.cpus) : Math.min(16, Number(text) || 1);

/** The hosts of proxy_pass are looked up at the start, unless they have variables or name an upstream. */
async function checkProxies(
  p: Process,
  directives: readonly Directive[],
  upstreams: Config['upstreams'],
): Promise<void> {
  for (const { name, args, file, line, block } of directives) {
    if (block) await checkProxies(p, block, upstreams);
    if (name !== 'proxy_pass' || (args[0] ?? '').includes('$')) continue;
    const host = /^http:\/\/(\[[^\]]*\]|[^:/]+)/.exec(args[0] ?? '')?.[1] ?? '';
    if (upstreams.has(host)) continue;
    const found = await lookupHost(p, host);
    if (found.kind !== 'found') throw new ConfError(`host not found in upstream "${host}" in ${file}:${line}`);
  }
}
