import { connect as connectTls } from 'node:tls';
import { nodes } from '../../api/generated/resources.ts';
import type { KubeletDialer } from '../../apiserver/contracts.ts';
import type { InformerSet } from '../../client/informer.ts';
import type { KeyedCertificate } from '../../pki/certificate.ts';

/** Like kube-apiserver's dial timeout, milliseconds. */
const patience = 30_000;

/**
 * Reaches kubelets of other machines at their nodes' addresses. They must show a certificate of the cluster's authority for this very node;
 * the API server shows its own.
 */
export function remoteKubelets(
  informers: InformerSet,
  authority: string,
  credentials: KeyedCertificate,
): KubeletDialer['dial'] {
  return async (nodeName) => {
    const all = informers.informer(nodes);
    await all.whenSynced();
    const { status } = all.get(nodeName) ?? {};
    const host = status?.addresses?.find((it) => it.type === 'InternalIP')?.address;
    if (host === undefined) {
      const message = `dial tcp: lookup ${nodeName}: no such host`;
      throw Object.assign(new Error(message), { code: 'ENOTFOUND' });
    }
    const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 10_250;
    const where = `${host.includes(':') ? `[${host}]` : host}:${port}`;
    return new Promise((resolve, reject) => {
      const socket = connectTls({
        host,
        port,
        ca: authority,
        cert: credentials.certificate,
        key: credentials.key,
        ALPNProtocols: ['http/1.1'],
        checkServerIdentity: (_name, { subject }) =>
          subject.CN === `system:node:${nodeName}`
            ? undefined
            : new Error(`tls: the certificate at ${where} is for ${subject.CN}, not for system:node:${nodeName}`),
      });
      socket.setTimeout(patience, () => socket.destroy(new Error('i/o timeout')));
      socket.once('secureConnect', () => {
        socket.setTimeout(0);
        resolve({ socket, host: where, headers: {} });
      });
      socket.once('error', (error: NodeJS.ErrnoException) => {
        const words: Readonly<Record<string, string>> = {
          ECONNREFUSED: 'connect: connection refused',
          EHOSTUNREACH: 'connect: no route to host',
          ETIMEDOUT: 'i/o timeout',
        };
        const said = words[error.code ?? ''] ?? error.message;
        reject(Object.assign(new Error(`dial tcp ${where}: ${said}`), { code: error.code }));
      });
    });
  };
}
