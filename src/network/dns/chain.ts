import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import type { Random } from '../../base/random.ts';
import { CorefileError, type Directive, type ServerBlock } from './corefile.ts';
import { cachePlugin } from './plugins/cache.ts';
import { errorsPlugin } from './plugins/errors.ts';
import { forwardPlugin } from './plugins/forward.ts';
import { hostsPlugin } from './plugins/hosts.ts';
import { kubernetesPlugin } from './plugins/kubernetes.ts';
import { loadbalancePlugin } from './plugins/loadbalance.ts';
import { logPlugin } from './plugins/log.ts';
import { loopPlugin } from './plugins/loop.ts';
import { rewritePlugin } from './plugins/rewrite.ts';
import { templatePlugin } from './plugins/template.ts';
import { type DnsAnswer, type DnsQuery, failure } from './records.ts';
import type { Exchange } from './upstream.ts';
import type { ZoneData } from './zone-data.ts';

export interface DnsRequest extends DnsQuery {
  readonly client: string;
}
export type Handler = (request: DnsRequest) => Promise<DnsAnswer>;

/** What plugins may use. */
export interface PluginContext {
  readonly zones: readonly string[];
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly data: ZoneData;
  readonly exchange: Exchange;
  readonly readFile: (path: string) => Promise<string>;
  readonly count: (metric: string, labels?: Readonly<Record<string, string>>) => void;
}

/** A plugin reads its directive once and wraps what comes after it. */
export interface DnsPlugin {
  readonly name: string;
  setup(directive: Directive, context: PluginContext): Promise<(next: Handler) => Handler>;
}

/** In CoreDNS' order (plugin.cfg): the first is asked first, whatever the Corefile's order. */
const chainOrder: readonly DnsPlugin[] = [
  errorsPlugin,
  logPlugin,
  loadbalancePlugin,
  cachePlugin,
  rewritePlugin,
  templatePlugin,
  hostsPlugin,
  kubernetesPlugin,
  loopPlugin,
  forwardPlugin,
];
/** Read by the server itself: they stand beside the chain. */
const serverDirectives = new Set(['health', 'ready', 'prometheus', 'reload', 'bind', 'bufsize', 'metadata', 'debug']);

/** Builds the handler of a server block. Throws `CorefileError` for what is not supported. */
export async function buildChain(block: ServerBlock, context: Omit<PluginContext, 'zones'>): Promise<Handler> {
  const known = new Set(chainOrder.map((it) => it.name));
  for (const directive of block.plugins) {
    if (!known.has(directive.name) && !serverDirectives.has(directive.name)) {
      throw new CorefileError(
        directive.line,
        `plugin ${directive.name} is not supported; these are: ${[...known, ...serverDirectives].sort().join(', ')}`,
      );
    }
  }
  let handler: Handler = async () => failure('REFUSED');
  for (const plugin of [...chainOrder].reverse()) {
    // Several directives of one name (hosts, rewrite, forward) are asked in the order written.
    for (const directive of block.plugins.filter((it) => it.name === plugin.name).reverse()) {
      handler = (await plugin.setup(directive, { ...context, zones: block.zones }))(handler);
    }
  }
  return handler;
}
