import { secrets } from '../../../api/generated/resources.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';

export interface Credentials {
  /** Pull secrets with credentials for the registry. */
  readonly usable: readonly string[];
  /** Named, and not there. */
  readonly missing: readonly string[];
  /** Of another type, or with unreadable JSON. */
  readonly malformed: readonly string[];
  /** For other registries: name and the registries. */
  readonly elsewhere: readonly { readonly name: string; readonly registries: readonly string[] }[];
  /** Whether Secrets could be read at all. */
  readonly seen: boolean;
}

/** The spellings under which Docker Hub's credentials are found. */
const hub: ReadonlySet<string> = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/** `https://index.docker.io/v1/` and `index.docker.io` are one registry. */
export const registryHost = (text: string): string => {
  const host = text.replace(/^https?:\/\//, '').split('/')[0] ?? '';
  return hub.has(host) ? 'docker.io' : host;
};

/** Whether a key of `auths` is used for a host: equal, or `*.example.com` as the kubelet globs it (pkg/credentialprovider/keyring.go). */
function fits(key: string, host: string): boolean {
  const own = registryHost(key);
  if (own === host) return true;
  const pattern = own.split('.');
  const parts = host.split('.');
  return pattern.length === parts.length && pattern.every((it, i) => it === '*' || it === parts[i]);
}

/** Sorts the named pull secrets by their use for a registry. */
export function credentialsFor(
  snapshot: Snapshot,
  namespace: string,
  names: readonly string[],
  host: string,
): Credentials {
  const usable: string[] = [];
  const missing: string[] = [];
  const malformed: string[] = [];
  const elsewhere: { name: string; registries: readonly string[] }[] = [];
  for (const name of names) {
    const secret = snapshot.secret(namespace, name);
    if (!secret) {
      if (snapshot.lacks(secrets, name, namespace)) missing.push(name);
    } else if (!secret.registries) malformed.push(name);
    else if (secret.registries.some((it) => fits(it, host))) usable.push(name);
    else elsewhere.push({ name, registries: secret.registries });
  }
  return { usable, missing, malformed, elsewhere, seen: snapshot.sees(secrets, namespace) };
}
