import type { TLSSocket } from 'node:tls';
import { subjectaccessreviews, tokenreviews } from '../../api/generated/resources.ts';
import type { UserInfo } from '../../api/handler.ts';
import type { Clock } from '../../base/clock.ts';
import type { Client } from '../../client/client.ts';
import type { KubeletAuth } from '../../kubelet/server/server.ts';

/** How long answers count, milliseconds (kubelet's webhook defaults), and how many are kept. */
const tokenLife = 120_000;
const allowedLife = 300_000;
const deniedLife = 30_000;
const capacity = 1024;

function remember<T>(clock: Clock): {
  get(key: string): T | undefined;
  set(key: string, value: T, life: number): void;
} {
  const kept = new Map<string, { readonly value: T; readonly until: number }>();
  return {
    get(key) {
      const found = kept.get(key);
      return found && found.until > clock.now() ? found.value : undefined;
    },
    set(key, value, life) {
      if (kept.size >= capacity) kept.clear();
      kept.set(key, { value, until: clock.now() + life });
    },
  };
}

const list = (value: string | readonly string[] | undefined): readonly string[] =>
  value === undefined ? [] : typeof value === 'string' ? [value] : value;

/**
 * Who may use a kubelet's server over the network, as the API server judges: client certificates of the cluster's authority and bearer
 * tokens (TokenReview) say who, SubjectAccessReviews on `nodes/…` say whether.
 */
export function kubeletAuth(client: Client, nodeName: string, clock: Clock): KubeletAuth {
  const users = remember<UserInfo>(clock);
  const decisions = remember<boolean>(clock);
  return {
    async authenticate(request) {
      const socket = request.socket as TLSSocket;
      if (socket.authorized) {
        const subject = socket.getPeerCertificate().subject as { CN?: string; O?: string | string[] } | undefined;
        if (subject?.CN) return { name: subject.CN, groups: [...list(subject.O), 'system:authenticated'] };
      }
      const token = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
      if (token === undefined) return undefined;
      const known = users.get(token);
      if (known) return known;
      const { status } = await client.create(tokenreviews, {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenReview',
        spec: { token },
      });
      if (!status?.authenticated || !status.user?.username) return undefined;
      const user: UserInfo = { name: status.user.username, groups: status.user.groups ?? [] };
      users.set(token, user, tokenLife);
      return user;
    },
    async authorize(user, verb, subresource) {
      const key = JSON.stringify([user.name, user.groups, verb, subresource]);
      const known = decisions.get(key);
      if (known !== undefined) return known;
      const { status } = await client.create(subjectaccessreviews, {
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SubjectAccessReview',
        spec: {
          user: user.name,
          groups: [...user.groups],
          resourceAttributes: { group: '', version: 'v1', resource: 'nodes', subresource, name: nodeName, verb },
        },
      });
      const allowed = status?.allowed === true;
      decisions.set(key, allowed, allowed ? allowedLife : deniedLife);
      return allowed;
    },
  };
}
