import type { IncomingMessage } from 'node:http';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { connect as tlsConnect } from 'node:tls';
import { services } from '../../../api/generated/resources.ts';
import type { AdmissionregistrationV1WebhookClientConfig } from '../../../api/generated/types.ts';
import type { ClusterDialer, ServerContext } from '../../contracts.ts';

const maxAnswerBytes = 10 * 1024 * 1024;

/** A webhook's address, as messages show it. */
export function webhookUrl(config: AdmissionregistrationV1WebhookClientConfig, timeoutSeconds: number): URL {
  const { service } = config;
  const url = new URL(
    config.url ?? `https://${service?.name}.${service?.namespace}.svc:${service?.port ?? 443}${service?.path ?? ''}`,
  );
  url.searchParams.set('timeout', `${timeoutSeconds}s`);
  return url;
}

/** URL as Go prints it: the port of a Service is always there. */
export const shownUrl = (config: AdmissionregistrationV1WebhookClientConfig, url: URL): string =>
  config.service
    ? url.href.replace(/^https:\/\/([^/:]+)(?=[/?])/, `https://$1:${config.service.port ?? 443}`)
    : url.href;

async function optionsFor(
  context: ServerContext,
  cluster: ClusterDialer | undefined,
  config: AdmissionregistrationV1WebhookClientConfig,
  url: URL,
): Promise<RequestOptions> {
  const ca = config.caBundle ? Buffer.from(config.caBundle, 'base64').toString('utf8') : undefined;
  const trust = ca === undefined ? {} : { ca };
  const { service } = config;
  if (!service) return { ...trust, agent: false };
  const known = context.reader.get(services, service.namespace, service.name);
  if (!known) throw new Error(`service ${JSON.stringify(service.name)} not found`);
  if (!cluster) throw new Error('no route to the service network');
  const address = known.spec?.clusterIP;
  if (!address || address === 'None') throw new Error(`service ${JSON.stringify(service.name)} has no cluster address`);
  const port = service.port ?? 443;
  if (!known.spec?.ports?.some((declared) => declared.port === port)) {
    throw new Error(`no service port ${port} found for service ${JSON.stringify(service.name)}`);
  }
  const socket = await cluster.connect(address, port);
  // Without an agent, or Node would open a connection of its own.
  return { createConnection: () => tlsConnect({ socket, servername: url.hostname, ...trust }) };
}

async function readAnswer(answer: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of answer) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxAnswerBytes) {
      answer.destroy();
      throw new Error('the answer of the webhook is too long');
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Posts a review and resolves with the answer's text. Rejects with Go's words for what went wrong. */
export async function callWebhook(
  context: ServerContext,
  cluster: ClusterDialer | undefined,
  config: AdmissionregistrationV1WebhookClientConfig,
  body: string,
  timeoutSeconds: number,
): Promise<string> {
  const url = webhookUrl(config, timeoutSeconds);
  const shown = shownUrl(config, url);
  const late = new AbortController();
  const timer = context.clock.after(timeoutSeconds * 1000, () => late.abort());
  try {
    const options = await optionsFor(context, cluster, config, url);
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const outgoing = httpsRequest(
        url,
        {
          ...options,
          method: 'POST',
          signal: late.signal,
          headers: {
            'content-type': 'application/json',
            accept: 'application/json, */*',
            'user-agent': 'kube-apiserver-admission',
            'content-length': Buffer.byteLength(body),
          },
        },
        resolve,
      );
      outgoing.once('error', reject);
      outgoing.end(body);
    });
    const text = await readAnswer(answer);
    const code = answer.statusCode ?? 500;
    if (code === 200 || code === 201 || code === 202) return text;
    throw new RefusedCall(refusalText(code, text.slice(0, 2048)));
  } catch (error) {
    if (error instanceof RefusedCall) throw error;
    if (late.signal.aborted) throw new RefusedCall(`Post ${JSON.stringify(shown)}: context deadline exceeded`);
    throw new RefusedCall(`Post ${JSON.stringify(shown)}: ${goWords(error)}`);
  } finally {
    timer.cancel();
  }
}

/** A call that failed; the message is what follows `failed to call webhook: `. */
class RefusedCall extends Error {
  override readonly name = 'RefusedCall';
}

const refusalText = (code: number, text: string): string => {
  if (code === 404) return 'the server could not find the requested resource';
  if (code >= 500) return `an error on the server (${JSON.stringify(text)}) has prevented the request from succeeding`;
  return 'the server rejected our request for an unknown reason';
};

/** Go's words for the failures of a connection that people look for. */
function goWords(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, address, port } = error as { code?: string; address?: string; port?: number };
  const where = address === undefined ? 'dial tcp' : `dial tcp ${address}:${port}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `${where}: connect: connection refused`;
    case 'EHOSTUNREACH':
      return `${where}: connect: no route to host`;
    case 'ENOTFOUND':
      return `dial tcp: ${error.message.replace(/^getaddrinfo ENOTFOUND /, 'lookup ')}: no such host`;
    case 'SELF_SIGNED_CERT_IN_CHAIN':
    case 'DEPTH_ZERO_SELF_SIGNED_CERT':
    case 'UNABLE_TO_VERIFY_LEAF_SIGNATURE':
    case 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY':
      return 'tls: failed to verify certificate: x509: certificate signed by unknown authority';
    case 'CERT_HAS_EXPIRED':
      return 'tls: failed to verify certificate: x509: certificate has expired or is not yet valid';
    default:
      return error.message;
  }
}
