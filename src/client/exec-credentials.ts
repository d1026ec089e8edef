import { execFile } from 'node:child_process';
import type { Clock } from '../base/clock.ts';

/** A kubeconfig user's `exec` section (client.authentication.k8s.io). */
export interface ExecConfig {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
}

interface Credential {
  readonly token?: string;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expirationTimestamp?: string;
}

/**
 * Runs a credential plugin and keeps what it gives until it expires or the server refuses it. A certificate that the plugin gives is
 * taken once, at the start. Throws an Error that names the command when it cannot be run.
 */
export async function execCredentials(
  config: ExecConfig,
  clock: Clock,
  cluster: Readonly<Record<string, unknown>>,
): Promise<{
  readonly clientCertificate?: string;
  readonly clientKey?: string;
  readonly token?: (fresh: boolean) => Promise<string | undefined>;
}> {
  let held = await run(config, cluster);
  let running: Promise<Credential> | undefined;
  const isOver = (): boolean =>
    held.expirationTimestamp !== undefined && Date.parse(held.expirationTimestamp) <= clock.now();
  return {
    ...(held.clientCertificateData && { clientCertificate: held.clientCertificateData }),
    ...(held.clientKeyData && { clientKey: held.clientKeyData }),
    ...(held.token !== undefined && {
      token: async (fresh: boolean) => {
        if (fresh || isOver()) {
          running ??= run(config, cluster);
          try {
            held = await running;
          } finally {
            running = undefined;
          }
        }
        return held.token;
      },
    }),
  };
}

function run(config: ExecConfig, cluster: Readonly<Record<string, unknown>>): Promise<Credential> {
  const info = {
    apiVersion: config.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: { interactive: false, ...(config.provideClusterInfo && { cluster }) },
  };
  const extra = Object.fromEntries((config.env ?? []).map(({ name, value }) => [name, value]));
  const env = { ...process.env, ...extra, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  return new Promise((resolve, reject) => {
    execFile(config.command, [...(config.args ?? [])], { env, maxBuffer: 1 << 20 }, (error, stdout) => {
      if (error) {
        const hint = config.installHint ? `\n\n${config.installHint}` : '';
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        const why = missing ? `executable ${config.command} not found` : `executable ${config.command} failed`;
        reject(new Error(`getting credentials: exec: ${why}${missing ? hint : `: ${error.message}`}`));
        return;
      }
      try {
        const { status } = JSON.parse(stdout) as { status?: Credential };
        if (!status || (status.token === undefined && status.clientCertificateData === undefined)) {
          throw new Error('the plugin gave neither a token nor a certificate');
        }
        resolve(status);
      } catch (cause) {
        reject(new Error(`getting credentials: decoding stdout of ${config.command}: ${(cause as Error).message}`));
      }
    });
  });
}
