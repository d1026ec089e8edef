import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import { endpointslices, ingressclasses, ingresses, secrets, services } from '../../api/generated/resources.ts';
import type { V1Ingress } from '../../api/generated/types.ts';
import type { Live } from '../../api/resource.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Lifetime } from '../../base/lifetime.ts';
import type { Logger } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { InformerSet } from '../../client/informer.ts';
import { semanticEqual } from '../../kinds/semantic-equal.ts';
import { followServices } from '../proxy/follow-services.ts';
import { serviceMap } from '../proxy/service-map.ts';
import { type RouteTable, routeTable, type Target } from './routes.ts';
import { ingressServer } from './server.ts';

/** `spec.controller` of the IngressClasses that are served here. */
export const ingressController = 'coracle.dev/ingress';

/** Where a protocol is served. */
export interface IngressListen {
  readonly address: string;
  readonly port: number;
}

export interface IngressOptions {
  readonly informers: InformerSet;
  readonly client: Client;
  readonly events: EventRecorder;
  readonly http?: IngressListen;
  readonly https?: IngressListen;
  /** The address to tell in the status of Ingresses, for one that is listened at. */
  readonly shownAddress: (listening: string) => string;
  readonly dial: (host: string, port: number) => Promise<Duplex>;
  /** Shown for hosts without a certificate of their own. PEM. */
  readonly fallback: { readonly certificate: string; readonly key: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly lifetime: Lifetime;
}

/** Changes are gathered this long, milliseconds. */
const gather = 20;

/**
 * A small ingress controller in this process: serves the Ingresses of classes whose controller is `coracle.dev/ingress`, once there is the
 * first of them, and tells in their status where. Resolves when it follows.
 */
export async function startIngress(options: IngressOptions): Promise<void> {
  const { informers, client, events, clock, random, log, lifetime } = options;
  const all = informers.informer(ingresses);
  const classes = informers.informer(ingressclasses);
  const tls = informers.informer(secrets);
  await Promise.all(
    [all, classes, tls, informers.informer(services), informers.informer(endpointslices)].map((it) => it.whenSynced()),
  );
  const map = serviceMap();
  lifetime.defer(followServices(informers, map, () => undefined));
  const mine = (ingress: V1Ingress): boolean => {
    const name =
      ingress.spec?.ingressClassName ?? ingress.metadata?.annotations?.['kubernetes.io/ingress.class'] ?? undefined;
    return name !== undefined && classes.get(name)?.spec?.controller === ingressController;
  };
  let table: RouteTable = routeTable([]);
  const contexts = new Map<string, { readonly version: string; readonly context: SecureContext }>();
  const nameless = createSecureContext({ cert: options.fallback.certificate, key: options.fallback.key });

  const certificate = (host: string): SecureContext => {
    const key = table.secretFor(host);
    const secret = key === undefined ? undefined : tls.get(key);
    if (key === undefined || !secret) return nameless;
    const version = secret.metadata.resourceVersion;
    const known = contexts.get(key);
    if (known?.version === version) return known.context;
    const part = (name: string): string => Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');
    try {
      const context = createSecureContext({ cert: part('tls.crt'), key: part('tls.key') });
      contexts.set(key, { version, context });
      return context;
    } catch (error) {
      log.warn('the certificate of a Secret cannot be used', { secret: key, error });
      return nameless;
    }
  };
  /** Ports by Service, made anew when Services or endpoints change. */
  let byService = new Map<string, { ip: string; port: number }[]>();
  let seen = -1;
  const endpoints = (target: Target): readonly { readonly ip: string; readonly port: number }[] => {
    if (seen !== map.version) {
      byService = new Map();
      for (const port of map.ports().values()) {
        const ready = port.endpoints.filter((it) => it.ready).map(({ ip, port: number }) => ({ ip, port: number }));
        for (const key of new Set([`${port.port}`, port.portName])) {
          byService.set(`${port.namespace}/${port.name}|${key}`, ready);
        }
      }
      seen = map.version;
    }
    return byService.get(`${target.namespace}/${target.service}|${target.port}`) ?? [];
  };
  const server = ingressServer({
    routes: () => table,
    endpoints,
    dial: options.dial,
    certificate,
    random,
    log,
    lifetime,
  });

  let opened: Promise<readonly { readonly address: string; readonly port: number }[]> | undefined;
  const open = async (): Promise<readonly { readonly address: string; readonly port: number }[]> => {
    const out: { address: string; port: number }[] = [];
    for (const [kind, at] of [
      ['http', options.http],
      ['https', options.https],
    ] as const) {
      if (!at) continue;
      try {
        out.push({ address: options.shownAddress(at.address), port: (await server[kind](at.address, at.port)).port });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        log.warn('Ingresses cannot be served', { kind, address: at.address, port: at.port, error });
        for (const ingress of all.list().filter(mine)) {
          events.event(ingress, 'Warning', 'ListenFailed', `${kind} on ${at.address}:${at.port}: ${why}`);
        }
      }
    }
    return out;
  };
  const tell = async (ingress: Live<V1Ingress>, where: readonly { address: string; port: number }[]): Promise<void> => {
    const ip = where[0]?.address;
    const ports = where.map(({ port }) => ({ port, protocol: 'TCP' }));
    const loadBalancer = ip === undefined ? {} : { ingress: [{ ip, ports }] };
    if (semanticEqual(ingress.status?.loadBalancer ?? {}, loadBalancer)) return;
    await client.update(ingresses, { ...ingress, status: { loadBalancer } }, { subresource: 'status' });
  };
  let timer: Timer | undefined;
  let chain: Promise<void> = Promise.resolve();
  const settle = async (): Promise<void> => {
    const own = all.list().filter(mine);
    table = routeTable(own);
    if (own.length === 0 && !opened) return;
    opened ??= open();
    const where = await opened;
    for (const ingress of own) await tell(ingress, [...where]);
  };
  const schedule = (): void => {
    if (timer || lifetime.signal.aborted) return;
    timer = clock.after(
      gather,
      () => {
        timer = undefined;
        chain = chain.then(settle).catch((error: unknown) => log.warn('an Ingress could not be told of', { error }));
      },
      { background: true },
    );
  };
  const handler = { add: schedule, update: schedule, remove: schedule };
  const stops = [all.subscribe(handler), classes.subscribe(handler)];
  lifetime.defer(() => {
    for (const stop of stops) stop();
    timer?.cancel();
    return chain;
  });
}
