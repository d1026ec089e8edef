import type { TLSSocket } from 'node:tls';
import { unauthorized } from '../../api/status.ts';
import type { Credentials } from '../contracts.ts';
import type { Incoming } from './body.ts';

type Certificate = NonNullable<Credentials['certificate']>;

/** What a connection shows by itself: its certificate, or nothing. Read once for each connection. */
interface Shown {
  readonly certificate: Certificate | 'none' | 'bad';
  /** What a request without credentials of its own has. */
  readonly credentials: Credentials;
}

const bySocket = new WeakMap<object, Shown>();
const nothing: Credentials = Object.freeze({});

function readCertificate(socket: TLSSocket): Certificate | 'none' | 'bad' {
  if (typeof socket.getPeerCertificate !== 'function') return 'none';
  const peer = socket.getPeerCertificate();
  if (!peer || Object.keys(peer).length === 0) return 'none';
  if (!socket.authorized) return 'bad';
  const { CN, O } = peer.subject as { CN?: string | string[]; O?: string | string[] };
  return {
    commonName: (Array.isArray(CN) ? CN.at(-1) : CN) ?? '',
    organizations: O === undefined ? [] : Array.isArray(O) ? O : [O],
    fingerprint: peer.fingerprint256.replaceAll(':', '').toLowerCase(),
    notAfter: Date.parse(peer.valid_to),
  };
}

/** The key under which a connection is remembered: h2 gives each stream a new proxy of the same session's socket. */
const connectionOf = (request: Incoming): object =>
  'stream' in request && request.stream.session ? request.stream.session : request.socket;

/** The credentials of a request. Throws Unauthorized for a client certificate that our authority did not sign or that has expired. */
export function credentialsOf(request: Incoming): Credentials {
  const connection = connectionOf(request);
  let shown = bySocket.get(connection);
  if (shown === undefined) {
    const certificate = readCertificate(request.socket as TLSSocket);
    shown = { certificate, credentials: typeof certificate === 'object' ? { certificate } : nothing };
    bySocket.set(connection, shown);
  }
  const { certificate } = shown;
  if (certificate === 'bad') throw unauthorized();
  const { authorization } = request.headers;
  const bearer = authorization === undefined ? undefined : /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  if (authorization !== undefined && bearer === undefined && certificate === 'none') throw unauthorized();
  const impersonate = impersonation(request);
  if (bearer === undefined && impersonate === undefined) return shown.credentials;
  return {
    ...(certificate !== 'none' && { certificate }),
    ...(bearer !== undefined && { bearerToken: bearer }),
    ...(impersonate && { impersonate }),
  };
}

function impersonation(request: Incoming): Credentials['impersonate'] {
  const { headers } = request;
  let found = false;
  for (const name in headers) {
    if (name.startsWith('impersonate-')) {
      found = true;
      break;
    }
  }
  if (!found) return undefined;
  const groups: string[] = [];
  const extra: Record<string, string[]> = {};
  // rawHeaders keep repeated headers apart, which commas inside extras need.
  const raw = request.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = (raw[i] ?? '').toLowerCase();
    const value = raw[i + 1] ?? '';
    if (name === 'impersonate-group') groups.push(value);
    else if (name.startsWith('impersonate-extra-')) {
      const key = decodeKey(name.slice('impersonate-extra-'.length));
      extra[key] = [...(extra[key] ?? []), value];
    }
  }
  const user = headers['impersonate-user'];
  const uid = headers['impersonate-uid'];
  return {
    user: typeof user === 'string' ? user : '',
    ...(typeof uid === 'string' && { uid }),
    groups,
    extra,
  };
}

const decodeKey = (key: string): string => {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
};
