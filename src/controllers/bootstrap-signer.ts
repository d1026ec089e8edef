import { createHmac } from 'node:crypto';
import { configmaps, secrets } from '../api/generated/resources.ts';
import type { V1Secret } from '../api/generated/types.ts';
import { type Controller, watched } from '../controller/controller.ts';
import { semanticEqual } from '../kinds/semantic-equal.ts';
import { mayRecord, read, rule } from './support/access.ts';

const namespace = 'kube-public';
const name = 'cluster-info';
const prefix = 'jws-kubeconfig-';
const tokenType = 'bootstrap.kubernetes.io/token';

const base64url = (text: string): string => Buffer.from(text).toString('base64url');

/** The detached JWS (RFC 7515, appendix F) of a text under a bootstrap token: header and signature with nothing between. */
export function detachedSignature(content: string, tokenId: string, secret: string): string {
  const header = base64url(JSON.stringify({ alg: 'HS256', kid: tokenId }));
  const signature = createHmac('sha256', secret)
    .update(`${header}.${base64url(content)}`)
    .digest('base64url');
  return `${header}..${signature}`;
}

/** Id and secret of a token that may sign at the moment; undefined for others. */
export function signingToken(
  secret: V1Secret,
  now: number,
): { readonly id: string; readonly secret: string } | undefined {
  const field = (key: string): string => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('utf8');
  const [id, text] = [field('token-id'), field('token-secret')];
  if (secret.type !== tokenType || secret.metadata?.name !== `bootstrap-token-${id}` || text === '') return undefined;
  if (field('usage-bootstrap-signing') !== 'true') return undefined;
  const expiration = field('expiration');
  if (expiration !== '' && !(Date.parse(expiration) > now)) return undefined;
  return { id, secret: text };
}

/** Signs kube-public/cluster-info with every bootstrap token, so that who joins can tell it is genuine. Upstream: pkg/controller/bootstrap/bootstrapsigner.go. */
export const bootstrapSigner: Controller = {
  name: 'bootstrap-signer',
  workers: 1,
  watches: [
    watched({
      resource: configmaps,
      keys: ({ metadata }) => (metadata.namespace === namespace && metadata.name === name ? [name] : []),
    }),
    watched({
      resource: secrets,
      keys: ({ metadata, type }) => (metadata.namespace === 'kube-system' && type === tokenType ? [name] : []),
    }),
  ],
  access: [rule('', 'secrets', read), rule('', 'configmaps', `${read} update`), ...mayRecord],
  async reconcile(_key, { informers, client, clock }) {
    const info = informers.informer(configmaps).get(`${namespace}/${name}`);
    const content = info?.data?.['kubeconfig'];
    if (!info || content === undefined) return undefined;
    const tokens = informers
      .informer(secrets)
      .byIndex('namespace', 'kube-system')
      .flatMap((it) => signingToken(it, clock.now()) ?? []);
    const others = Object.entries(info.data ?? {}).filter(([key]) => !key.startsWith(prefix));
    const signed = tokens.map(({ id, secret }) => [`${prefix}${id}`, detachedSignature(content, id, secret)] as const);
    const data = Object.fromEntries([...others, ...signed]);
    if (!semanticEqual(info.data ?? {}, data)) await client.update(configmaps, { ...info, data });
    return undefined;
  },
};
