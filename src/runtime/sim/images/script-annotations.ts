import { matches } from '../shell/pattern.ts';

/** What all annotations of the simulated runtime begin with. */
const prefix = 'sim.coracle.dev/';

/** A port that a scripted container listens on. */
export interface ScriptedPort {
  readonly protocol: 'http' | 'tcp' | 'udp';
  readonly port: number;
  /** http: the path that this answer is for; `/` is for all without one of their own. */
  readonly path: string;
  readonly status: number;
  readonly latencyMs: number;
}

/** What a scripted container does. Durations are in milliseconds, memory in bytes, CPU in cores. */
export interface ContainerScript {
  readonly exitCode: number;
  /** Undefined: it runs until it is stopped. */
  readonly exitAfterMs: number | undefined;
  readonly crashAfterMs: number | undefined;
  readonly terminationMessage: string | undefined;
  readonly log: readonly string[];
  readonly errorLog: readonly string[];
  readonly logEvery: { readonly ms: number; readonly line: string } | undefined;
  readonly ports: readonly ScriptedPort[];
  readonly httpBody: string;
  readonly readyAfterMs: number;
  readonly memoryBytes: number;
  /** Bytes a second. */
  readonly memoryGrowth: number;
  readonly cpu: number;
  /** How long it takes to end after TERM; undefined: it does not listen to it. */
  readonly stopAfterMs: number | undefined;
}

export type ScriptResult =
  | { readonly kind: 'none' }
  | { readonly kind: 'script'; readonly script: ContainerScript }
  | { readonly kind: 'invalid'; readonly errors: readonly string[] };

const units: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const sizes: Readonly<Record<string, number>> = {
  '': 1,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  k: 1e3,
  M: 1e6,
  G: 1e9,
};

function duration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim());
  return match ? Number(match[1]) * (units[match[2] ?? ''] ?? 1) : text.trim() === '0' ? 0 : undefined;
}

function size(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(Ki|Mi|Gi|k|M|G)?$/.exec(text.trim());
  return match ? Math.round(Number(match[1]) * (sizes[match[2] ?? ''] ?? 1)) : undefined;
}

/** `http:8080/healthz=503@2s`, `tcp:5432`, `udp:53`. */
function port(text: string): ScriptedPort | undefined {
  const match = /^(http|tcp|udp):(\d{1,5})(\/[^=@\s]*)?(?:=(\d{3}))?(?:@(\S+))?$/.exec(text);
  if (!match) return undefined;
  const number = Number(match[2]);
  const latencyMs = match[5] === undefined ? 0 : duration(match[5]);
  const protocol = match[1] as ScriptedPort['protocol'];
  if (number < 1 || number > 65_535 || latencyMs === undefined) return undefined;
  if (protocol !== 'http' && (match[3] ?? match[4]) !== undefined) return undefined;
  return { protocol, port: number, path: match[3] ?? '/', status: Number(match[4] ?? 200), latencyMs };
}

type Draft = { -readonly [Key in keyof ContainerScript]: ContainerScript[Key] };

interface Rule {
  /** For the error text: what the value has to be. */
  readonly form: string;
  /** Puts the value into the script; false when it is malformed. */
  apply(script: Draft, value: string): boolean;
}

const wait = (put: (script: Draft, ms: number) => void): Rule => ({
  form: 'a duration such as 500ms, 30s or 5m',
  apply(script, value) {
    const ms = duration(value);
    if (ms === undefined) return false;
    put(script, ms);
    return true;
  },
});

const amount = (put: (script: Draft, bytes: number) => void, form: string, ending = ''): Rule => ({
  form,
  apply(script, value) {
    const bytes = value.endsWith(ending) ? size(value.slice(0, value.length - ending.length)) : undefined;
    if (bytes === undefined) return false;
    put(script, bytes);
    return true;
  },
});

const text = (put: (script: Draft, value: string) => void): Rule => ({
  form: 'text',
  apply(script, value) {
    put(script, value);
    return true;
  },
});

const linesOf = (value: string): string[] => value.replace(/\n$/, '').split('\n');

/** The annotations that script a container, by what follows the prefix (and the container's name and a dot, where given). */
const rules: Readonly<Record<string, Rule>> = {
  'exit-code': {
    form: 'a number between 0 and 255',
    apply(script, value) {
      if (!/^\d{1,3}$/.test(value) || Number(value) > 255) return false;
      script.exitCode = Number(value);
      script.exitAfterMs ??= 0;
      return true;
    },
  },
  'exit-after': wait((script, ms) => {
    script.exitAfterMs = ms;
  }),
  'crash-after': wait((script, ms) => {
    script.crashAfterMs = ms;
  }),
  'termination-message': text((script, value) => {
    script.terminationMessage = value;
  }),
  log: text((script, value) => {
    script.log = linesOf(value);
  }),
  'error-log': text((script, value) => {
    script.errorLog = linesOf(value);
  }),
  'log-every': {
    form: 'a duration and a line, such as 5s still working',
    apply(script, value) {
      const at = value.indexOf(' ');
      const ms = duration(at < 0 ? value : value.slice(0, at));
      if (ms === undefined || ms <= 0 || at < 0) return false;
      script.logEvery = { ms, line: value.slice(at + 1) };
      return true;
    },
  },
  listen: {
    form: 'ports such as http:8080, http:8080/healthz=503@2s, tcp:5432 or udp:53',
    apply(script, value) {
      const ports = value
        .split(/[\s,]+/)
        .filter((word) => word !== '')
        .map(port);
      if (ports.length === 0 || ports.some((one) => one === undefined)) return false;
      script.ports = ports.flatMap((one) => one ?? []);
      return true;
    },
  },
  'http-body': text((script, value) => {
    script.httpBody = value;
  }),
  'ready-after': wait((script, ms) => {
    script.readyAfterMs = ms;
  }),
  memory: amount((script, bytes) => {
    script.memoryBytes = bytes;
  }, 'an amount such as 64Mi'),
  'memory-growth': amount(
    (script, bytes) => {
      script.memoryGrowth = bytes;
    },
    'an amount a second such as 10Mi/s',
    '/s',
  ),
  cpu: {
    form: 'cores such as 500m or 1.5',
    apply(script, value) {
      const match = /^(\d+(?:\.\d+)?)(m?)$/.exec(value);
      if (!match) return false;
      script.cpu = Number(match[1]) / (match[2] === 'm' ? 1000 : 1);
      return true;
    },
  },
  'stop-after': wait((script, ms) => {
    script.stopAfterMs = ms;
  }),
  'ignore-term': {
    form: 'true or false',
    apply(script, value) {
      if (value !== 'true' && value !== 'false') return false;
      if (value === 'true') script.stopAfterMs = undefined;
      return true;
    },
  },
};

/** Annotations with the prefix that mean something else. */
const others = new Set(['images', 'registry']);

interface Found {
  readonly key: string;
  readonly container: string | undefined;
  readonly name: string;
  readonly value: string;
}

function found(annotations: Readonly<Record<string, string>>): readonly Found[] {
  return Object.entries(annotations).flatMap(([key, value]) => {
    if (!key.startsWith(prefix)) return [];
    const rest = key.slice(prefix.length);
    const dot = rest.lastIndexOf('.');
    const container = dot < 0 ? undefined : rest.slice(0, dot);
    const name = rest.slice(dot + 1);
    return others.has(rest) ? [] : [{ key, container, name, value }];
  });
}

/** A container that does nothing until it is told to stop. */
export const quietScript: ContainerScript = Object.freeze({
  exitCode: 0,
  exitAfterMs: undefined,
  crashAfterMs: undefined,
  terminationMessage: undefined,
  log: [],
  errorLog: [],
  logEvery: undefined,
  ports: [],
  httpBody: 'ok\n',
  readyAfterMs: 0,
  memoryBytes: 8 << 20,
  memoryGrowth: 0,
  cpu: 0,
  stopAfterMs: 0,
});

/**
 * What a pod's annotations make the container `name` do. `sim.coracle.dev/KEY` is for all its containers,
 * `sim.coracle.dev/NAME.KEY` for one, and stands before the other. Pure.
 */
export function containerScript(annotations: Readonly<Record<string, string>>, name: string): ScriptResult {
  const own = found(annotations).filter(({ container }) => container === undefined || container === name);
  if (own.length === 0) return { kind: 'none' };
  const errors: string[] = [];
  const script: Draft = { ...quietScript };
  // The container's own come last and win; ignore-term and exit-code build on what stands before.
  const ordered = [...own].sort((a, b) => Number(a.container !== undefined) - Number(b.container !== undefined));
  for (const { key, name: rule, value } of ordered) {
    const known = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
    if (!known) errors.push(`annotation ${key}: there is no such setting; there are ${Object.keys(rules).join(', ')}`);
    else if (!known.apply(script, value))
      errors.push(`annotation ${key}: ${JSON.stringify(value)} is not ${known.form}`);
  }
  return errors.length > 0 ? { kind: 'invalid', errors } : { kind: 'script', script: Object.freeze(script) };
}

/**
 * Whether a pod's annotations make an image exist that no registry has: they script a container of the pod, or
 * `sim.coracle.dev/images` names it (references or patterns, by commas or blanks). `repository` is the full one.
 */
export function imageByAnnotation(
  annotations: Readonly<Record<string, string>>,
  repository: string,
  tag: string | undefined,
): boolean {
  const list = annotations[`${prefix}images`];
  if (list === undefined) return found(annotations).length > 0;
  const short = repository.replace(/^docker\.io\/(library\/)?/, '');
  const names = [repository, short].flatMap((name) => [name, `${name}:${tag ?? 'latest'}`]);
  return list.split(/[\s,]+/).some((pattern) => pattern !== '' && names.some((name) => matches(pattern, name)));
}
