import { randomInt } from 'node:crypto';
import { join, resolve } from 'node:path';
import { configmaps, secrets } from '../api/generated/resources.ts';
import type { V1Secret } from '../api/generated/types.ts';
import { hasReason } from '../api/status.ts';
import { rfc3339, systemClock } from '../base/clock.ts';
import type { HttpsClient } from '../client/https-client.ts';
import { askCluster } from '../cluster/control-socket.ts';
import { offerControlPlane } from '../cluster/join/control-plane-bundle.ts';
import { authorityHash, parseToken, readClusterInfo } from '../cluster/join/discovery.ts';
import { nodeTokenGroup } from '../cluster/join/join-objects.ts';
import { defaultDataDir, UsageError } from '../cluster/options.ts';
import { type ConnectFlags, connect, withConnection } from './kube/connect.ts';
import { durationSeconds } from './kube/durations.ts';
import { alignColumns } from './kube/print-table.ts';
import type { CommandBuilder } from './main.ts';
import { say } from './output.ts';

const namespace = 'kube-system';
const tokenType = 'bootstrap.kubernetes.io/token';
const letters = 'abcdefghijklmnopqrstuvwxyz0123456789';
const draw = (length: number): string =>
  Array.from({ length }, () => letters[randomInt(letters.length)] ?? 'a').join('');
const field = (secret: V1Secret, name: string): string =>
  Buffer.from(secret.data?.[name] ?? '', 'base64').toString('utf8');

/** The Secret that a bootstrap token is. `ttlSeconds` 0: for ever. */
export function tokenSecret(token: string, ttlSeconds: number, description: string, now: number): V1Secret {
  const { id, secret } = parseToken(token);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: `bootstrap-token-${id}`, namespace },
    type: tokenType,
    stringData: {
      'token-id': id,
      'token-secret': secret,
      'usage-bootstrap-authentication': 'true',
      'usage-bootstrap-signing': 'true',
      'auth-extra-groups': nodeTokenGroup,
      ...(ttlSeconds > 0 && { expiration: rfc3339(now + ttlSeconds * 1000) }),
      ...(description !== '' && { description }),
    },
  };
}

/** A span as Kubernetes writes ages: `23h`, `59m`. */
export function timeLeft(expiration: string, now: number): string {
  if (expiration === '') return '<forever>';
  const seconds = Math.floor((Date.parse(expiration) - now) / 1000);
  if (!(seconds > 0)) return '<invalid>';
  if (seconds >= 172_800) return `${Math.floor(seconds / 86_400)}d`;
  if (seconds >= 7200) return `${Math.floor(seconds / 3600)}h`;
  return seconds >= 120 ? `${Math.floor(seconds / 60)}m` : `${seconds}s`;
}

/** The command that joins another machine with this token. Throws `UsageError` where other machines cannot reach the server. */
export async function joinCommand(client: HttpsClient, token: string): Promise<string> {
  const info = await client.get(configmaps, 'cluster-info', { namespace: 'kube-public' });
  const { server, authority } = readClusterInfo(info.data?.['kubeconfig'] ?? '');
  const { host, hostname } = new URL(server);
  if (/^(127\.|203\.0\.113\.1$|localhost$|\[::1\]$)/.test(hostname)) {
    throw new UsageError(
      'this cluster listens on loopback only; start it with --listen 0.0.0.0:6443, so that other machines reach it',
    );
  }
  return `coracle kubelet --join ${host} --token ${token} --discovery-token-ca-cert-hash ${authorityHash(authority)}`;
}

/** `coracle token create|list|delete`: bootstrap tokens, by which machines join. As kubeadm token. */
export const tokenCommand: CommandBuilder = (program, streams) => {
  const token = program.command('token').description('manage the tokens by which machines join the cluster');
  withConnection(token.command('create'))
    .description('make a token and print it')
    .argument('[token]', 'a token of your own, such as abcdef.0123456789abcdef')
    .option('--ttl <duration>', 'how long it is good, such as 24h; 0 = for ever', '24h')
    .option('--description <text>', 'what it is for', '')
    .option('--print-join-command', 'print the whole command that joins a machine with it')
    .action(
      async (
        given: string | undefined,
        flags: ConnectFlags & { ttl: string; description: string; printJoinCommand?: boolean },
      ) => {
        const { client } = await connect(flags, streams);
        const text = given ?? `${draw(6)}.${draw(16)}`;
        const ttl = flags.ttl === '0' ? 0 : durationSeconds(flags.ttl);
        const command = flags.printJoinCommand ? await joinCommand(client, text) : text;
        await client.create(secrets, tokenSecret(text, ttl, flags.description, systemClock.now()));
        say(streams, command);
        client.close();
      },
    );
  token
    .command('control-plane')
    .description('print the command that adds a control plane (clusters over etcd), on the machine of one that runs')
    .option('--data-dir <dir>', 'its data directory', defaultDataDir(streams.env))
    .option('--ttl <duration>', 'how long the token is good', '2h')
    .action(async (flags: { dataDir: string; ttl: string }) => {
      const dataDir = resolve(flags.dataDir);
      const status = await askCluster(dataDir, 'status');
      if (!status?.ready) throw new UsageError(`no cluster is running on ${dataDir}`);
      const { client } = await connect({ kubeconfig: join(dataDir, 'kubeconfig') }, streams);
      const given = await offerControlPlane(dataDir, client, durationSeconds(flags.ttl));
      client.close();
      say(streams, `coracle up --join ${status.url} --token ${given}`);
    });
  withConnection(token.command('list'))
    .description('list the tokens')
    .action(async (flags: ConnectFlags) => {
      const { client } = await connect(flags, streams);
      const { items } = await client.list(secrets, { namespace, fieldSelector: `type=${tokenType}` });
      client.close();
      const rows = items.map((it) => {
        const expiration = field(it, 'expiration');
        const usages = ['authentication', 'signing'].filter((use) => field(it, `usage-bootstrap-${use}`) === 'true');
        return [
          `${field(it, 'token-id')}.${field(it, 'token-secret')}`,
          timeLeft(expiration, systemClock.now()),
          expiration || '<never>',
          usages.join(',') || '<none>',
          field(it, 'description') || '<none>',
          field(it, 'auth-extra-groups') || '<none>',
        ];
      });
      const heads = ['TOKEN', 'TTL', 'EXPIRES', 'USAGES', 'DESCRIPTION', 'EXTRA GROUPS'];
      for (const line of alignColumns([heads, ...rows])) say(streams, line);
    });
  withConnection(token.command('delete'))
    .description('delete tokens, by their id or in full')
    .argument('<token...>')
    .action(async (tokens: readonly string[], flags: ConnectFlags) => {
      const { client } = await connect(flags, streams);
      for (const text of tokens) {
        const id = /^([a-z0-9]{6})(\.[a-z0-9]{16})?$/.exec(text)?.[1];
        if (id === undefined)
          throw new UsageError(`given token "${text}" does not match pattern "[a-z0-9]{6}[.secret]"`);
        try {
          await client.delete(secrets, `bootstrap-token-${id}`, { namespace });
        } catch (error) {
          if (hasReason(error, 'NotFound')) throw new UsageError(`there is no bootstrap token with id "${id}"`);
          throw error;
        }
        say(streams, `bootstrap token "${id}" deleted`);
      }
      client.close();
    });
};
