import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { subjectaccessreviews, tokenreviews } from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/handler.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { KubeletAuth } from './server.ts';

/** Upstream's defaults (authentication.webhook.cacheTTL, authorization.webhook.cacheAuthorizedTTL and …UnauthorizedTTL), milliseconds. */
const tokenMs = 120_000;
const allowedMs = 300_000;
const deniedMs = 30_000;
const cacheLimit = 1024;

interface Cache<T> {
  get(key: string, make: () => Promise<T>, keepMs: (value: T) => number): Promise<T>;
}

function cache<T>(clock: Clock): Cache<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    async get(key, make, keepMs) {
      const known = entries.get(key);
      if (known && known.until > clock.now()) return known.value;
      const value = await make();
      if (entries.size >= cacheLimit) entries.clear();
      entries.set(key, { value, until: clock.now() + keepMs(value) });
      return value;
    },
  };
}

/** Subresources that may be given by themselves; `proxy` covers them all (KubeletFineGrainedAuthz). */
const fine = new Set(['pods', 'healthz', 'configz']);

/**
 * Asks the API server who a caller is and what it may do: client certificates of the cluster's authority, else bearer tokens by
 * TokenReview; then SubjectAccessReview on this node. Upstream: pkg/kubelet/server/auth.go, cmd/kubelet/app/auth.go.
 */
export function delegatedAuth(options: {
  readonly client: Client;
  readonly nodeName: string;
  readonly clock: Clock;
}): KubeletAuth {
  const { client, nodeName, clock } = options;
  const users = cache<UserInfo | undefined>(clock);
  const decisions = cache<boolean>(clock);

  const byToken = async (token: string): Promise<UserInfo | undefined> => {
    const { status } = await client.create(tokenreviews, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
    if (!status?.authenticated || !status.user?.username) return undefined;
    const { username, groups, uid, extra } = status.user;
    return { name: username, groups: groups ?? [], ...(uid && { uid }), ...(extra && { extra }) } as UserInfo;
  };

  const allowed = async (user: UserInfo, verb: string, subresource: string): Promise<boolean> => {
    const { status } = await client.create(subjectaccessreviews, {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      metadata: {},
      spec: {
        user: user.name,
        groups: user.groups,
        resourceAttributes: { verb, group: '', version: 'v1', resource: 'nodes', subresource, name: nodeName },
      },
    });
    return status?.allowed === true;
  };

  return {
    async authenticate(request: IncomingMessage) {
      const { socket } = request;
      if (socket instanceof TLSSocket && socket.authorized) {
        // A repeated field comes as a list, whatever its declared type.
        const { CN: name, O: organizations } = socket.getPeerCertificate().subject as { CN?: unknown; O?: unknown };
        const groups = Array.isArray(organizations)
          ? organizations
          : organizations === undefined
            ? []
            : [organizations];
        if (typeof name === 'string' && name !== '') return { name, groups: groups.map(String) };
      }
      const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined) return undefined;
      // The token itself is not kept.
      const key = createHash('sha256').update(token).digest('base64');
      return users.get(
        key,
        () => byToken(token),
        () => tokenMs,
      );
    },
    async authorize(user, verb, subresource) {
      const ask = (it: string): Promise<boolean> =>
        decisions.get(
          JSON.stringify([user.name, user.groups, verb, it]),
          () => allowed(user, verb, it),
          (yes) => (yes ? allowedMs : deniedMs),
        );
      if (fine.has(subresource) && (await ask(subresource))) return true;
      return ask(fine.has(subresource) ? 'proxy' : subresource);
    },
  };
}
