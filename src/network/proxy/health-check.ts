import { createServer, type Server } from 'node:http';
import type { V1Service } from '../../api/generated/types.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import type { ServicePort } from './endpoints.ts';

/** A Service whose load balancer asks each node whether it has endpoints. */
export interface HealthCheck {
  readonly namespace: string;
  readonly name: string;
  readonly port: number;
}

/** The health checks that Services ask for: those with externalTrafficPolicy Local behind a load balancer. Pure. */
export function healthChecks(services: Iterable<V1Service>): ReadonlyMap<number, HealthCheck> {
  const out = new Map<number, HealthCheck>();
  for (const { metadata, spec } of services) {
    const port = spec?.healthCheckNodePort ?? 0;
    if (spec?.type !== 'LoadBalancer' || spec.externalTrafficPolicy !== 'Local' || port === 0) continue;
    out.set(port, { namespace: metadata?.namespace ?? '', name: metadata?.name ?? '', port });
  }
  return out;
}

/** How many endpoints of a Service are ready on this node, counted once for each address. Pure. */
export function localEndpoints(ports: Iterable<ServicePort>, check: HealthCheck, nodeName: string): number {
  const found = new Set<string>();
  for (const port of ports) {
    if (port.namespace !== check.namespace || port.name !== check.name) continue;
    for (const it of port.endpoints) if (it.ready && it.node === nodeName) found.add(it.ip);
  }
  return found.size;
}

/**
 * Answers health checks of Services at their ports on this node: 200 with local endpoints, 503 without. Returns a function that brings the
 * listeners in line with what Services want. Upstream: pkg/proxy/healthcheck/service_health.go.
 */
export function serveHealthChecks(options: {
  readonly addresses: () => readonly string[];
  readonly count: (check: HealthCheck) => number;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}): (wanted: ReadonlyMap<number, HealthCheck>) => void {
  const { addresses, count, log, lifetime } = options;
  const open = new Map<string, Server>();
  const checks = new Map<number, HealthCheck>();
  const close = (key: string): void => {
    open.get(key)?.close();
    open.get(key)?.closeAllConnections();
    open.delete(key);
  };
  lifetime.defer(() => {
    for (const key of [...open.keys()]) close(key);
  });
  const listen = (host: string, port: number): void => {
    const server = createServer((_request, response) => {
      const check = checks.get(port);
      const local = check ? count(check) : 0;
      const body = {
        service: { namespace: check?.namespace, name: check?.name },
        localEndpoints: local,
        serviceProxyHealthy: true,
      };
      response.writeHead(local > 0 ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(local),
      });
      response.end(`${JSON.stringify(body)}\n`);
    });
    server.on('error', (error) => {
      log.error('a health check node port cannot be served', { host, port, error });
      open.delete(`${host}|${port}`);
    });
    server.listen(port, host);
    open.set(`${host}|${port}`, server);
  };
  return (wanted) => {
    checks.clear();
    for (const [port, check] of wanted) checks.set(port, check);
    const keys = new Set(addresses().flatMap((host) => [...wanted.keys()].map((port) => `${host}|${port}`)));
    for (const key of [...open.keys()]) if (!keys.has(key)) close(key);
    for (const host of addresses())
      for (const port of wanted.keys()) if (!open.has(`${host}|${port}`)) listen(host, port);
  };
}
