import type { V1Ingress, V1IngressBackend } from '../../api/generated/types.ts';

/** A Service that requests go to. */
export interface Target {
  readonly namespace: string;
  readonly service: string;
  /** Number or name; what names nothing has no endpoints. */
  readonly port: number | string;
}

interface PathRule {
  readonly path: string;
  readonly exact: boolean;
  readonly target: Target;
}

/** Where requests go, by host and path. */
export interface RouteTable {
  /** `host` as in the request, without its port. Undefined: no rule says anything. */
  match(host: string, path: string): Target | undefined;
  /** The Secret (`namespace/name`) whose certificate answers for this host. */
  secretFor(host: string): string | undefined;
}

/** Rules by host: an exact host before a wildcard, `*.example.com` for one more label, '' for any. */
interface HostRules {
  readonly paths: PathRule[];
}

const targetOf = (namespace: string, backend: V1IngressBackend | undefined): Target | undefined => {
  const service = backend?.service;
  const port = service?.port?.number ?? service?.port?.name;
  return service && port !== undefined ? { namespace, service: service.name, port } : undefined;
};

/** True when each element of the rule's path is that of the request's (Ingress, pathType Prefix): `/a` is before `/a/b`, not before `/ab`. */
export function isPrefix(rule: string, path: string): boolean {
  const bare = rule.endsWith('/') ? rule.slice(0, -1) : rule;
  return bare === '' || path === bare || path.startsWith(`${bare}/`);
}

const wildcardOf = (host: string): string => `*${host.slice(host.indexOf('.'))}`;

/**
 * The rules of Ingresses as one table (networking.k8s.io/v1, IngressSpec). Of rules for one host the longest path wins, an exact one before a
 * prefix; of two Ingresses that say the same the older. Pure.
 */
export function routeTable(ingresses: readonly V1Ingress[]): RouteTable {
  const hosts = new Map<string, HostRules>();
  const secrets = new Map<string, string>();
  let fallback: Target | undefined;
  const age = ({ metadata }: V1Ingress): string =>
    `${metadata?.creationTimestamp} ${metadata?.namespace}/${metadata?.name}`;
  for (const ingress of [...ingresses].sort((a, b) => (age(a) < age(b) ? -1 : 1))) {
    const namespace = ingress.metadata?.namespace ?? '';
    const { spec } = ingress;
    fallback ??= targetOf(namespace, spec?.defaultBackend);
    for (const { hosts: names, secretName } of spec?.tls ?? []) {
      if (!secretName) continue;
      for (const name of names?.length ? names : ['']) {
        if (!secrets.has(name)) secrets.set(name, `${namespace}/${secretName}`);
      }
    }
    for (const rule of spec?.rules ?? []) {
      const host = (rule.host ?? '').toLowerCase();
      const known = hosts.get(host) ?? { paths: [] };
      hosts.set(host, known);
      for (const it of rule.http?.paths ?? []) {
        const target = targetOf(namespace, it.backend);
        if (target) known.paths.push({ path: it.path ?? '/', exact: it.pathType === 'Exact', target });
      }
      // A rule without paths sends its host to the Ingress's default backend.
      const own = targetOf(namespace, spec?.defaultBackend);
      if (!rule.http && own) known.paths.push({ path: '/', exact: false, target: own });
    }
  }
  for (const { paths } of hosts.values()) {
    // Sorting is stable: the older rule stays before the younger.
    paths.sort((a, b) => b.path.length - a.path.length || Number(b.exact) - Number(a.exact));
  }
  return {
    match(host, path) {
      const name = host.toLowerCase();
      for (const candidate of [name, wildcardOf(name), '']) {
        const found = hosts.get(candidate)?.paths.find((it) => (it.exact ? it.path === path : isPrefix(it.path, path)));
        if (found) return found.target;
      }
      return fallback;
    },
    secretFor(host) {
      const name = host.toLowerCase();
      return secrets.get(name) ?? secrets.get(wildcardOf(name)) ?? secrets.get('');
    },
  };
}
