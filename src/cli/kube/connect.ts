import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Command } from 'commander';
import { systemClock } from '../../base/clock.ts';
import { type HttpsClient, httpsClient } from '../../client/https-client.ts';
import { clientConfig, loadKubeconfig } from '../../client/kubeconfig.ts';
import { defaultDataDir } from '../../cluster/options.ts';
import type { Streams } from '../output.ts';

/** The flags that every command about a cluster takes, as kubectl names them. */
export interface ConnectFlags {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
}

export interface Connection {
  readonly client: HttpsClient;
  /** From -n, else from the context, else `default`. */
  readonly namespace: string;
}

/** Adds --kubeconfig, --context and -n to a command. */
export function withConnection(command: Command): Command {
  return command
    .option('--kubeconfig <file>', 'the kubeconfig to use')
    .option('--context <name>', 'the context of it')
    .option('-n, --namespace <name>', 'the namespace');
}

/** The kubeconfig that a command reads where kubectl's own rules (--kubeconfig, KUBECONFIG, ~/.kube/config) name none: coracle's. */
export function kubeconfigPath(flags: { readonly kubeconfig?: string }, streams: Streams): string | undefined {
  if (flags.kubeconfig) return flags.kubeconfig;
  const own = join(defaultDataDir(streams.env), 'kubeconfig');
  const usual = join(homedir(), '.kube', 'config');
  return !streams.env['KUBECONFIG'] && !existsSync(usual) && existsSync(own) ? own : undefined;
}

/**
 * Connects as kubectl would (--kubeconfig, KUBECONFIG, ~/.kube/config); where none of these is there, to the cluster that
 * `coracle up` runs on this user's own data directory.
 */
export async function connect(flags: ConnectFlags, streams: Streams): Promise<Connection> {
  const path = kubeconfigPath(flags, streams);
  const kubeconfig = await loadKubeconfig({ ...(path && { path }), env: streams.env });
  const config = await clientConfig(kubeconfig, {
    clock: systemClock,
    userAgent: 'coracle',
    ...(flags.context && { context: flags.context }),
  });
  return { client: httpsClient(config), namespace: flags.namespace ?? config.namespace ?? 'default' };
}
