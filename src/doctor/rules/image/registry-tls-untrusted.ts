import { pullExample, resolving } from './example.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';

const image = 'registry.acme.io/shop:2';

export const registryTlsUntrusted = pullRule({
  id: 'registry-tls-untrusted',
  title: 'The node does not trust the registry’s certificate',
  codes: ['IMG-11'],
  symptoms: ['x509: certificate signed by unknown authority', 'x509: certificate has expired or is not yet valid'],
  rank: 90,
  causes: ['untrusted'],
  meaning:
    'The registry’s certificate is signed by an authority that the node does not know (usual for in-house registries and for proxies that look inside TLS), has expired, or is for another name.',
  tell: 'The text after `x509:` names which of these it is.',
  fix: 'Install the authority’s certificate for this host on every node, or renew the registry’s certificate.',
  sick: [
    {
      when: 'the authority is unknown',
      yaml: pullExample(
        image,
        resolving(
          image,
          'Unknown',
          'failed to do request: Head "https://registry.acme.io/v2/shop/manifests/2": tls: failed to verify certificate: x509: certificate signed by unknown authority',
        ),
      ),
      says: 'unknown authority',
    },
    {
      when: 'the certificate has expired',
      yaml: pullExample(
        image,
        resolving(
          image,
          'Unknown',
          'failed to do request: Head "https://registry.acme.io/v2/shop/manifests/2": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2026-01-01T12:00:00Z is after 2025-12-01T00:00:00Z',
        ),
      ),
      says: 'expired',
    },
  ],
  claim(it) {
    const host = it.ref?.host ?? it.image;
    const why = /x509: (.*)$/.exec(it.text)?.[1] ?? 'it cannot be verified';
    const expired = /expired/.test(why);
    return {
      says: `The node does not accept the certificate of the registry ${host}: ${why}.`,
      cause: registryCause(it),
      fix: expired
        ? 'Renew the registry’s certificate (or set the node’s clock right).'
        : 'Install the signing authority for this host on every node.',
      commands: expired
        ? [`openssl s_client -connect ${host}:443 -servername ${host} </dev/null | openssl x509 -noout -dates`]
        : [
            `mkdir -p /etc/containerd/certs.d/${host} && cp ca.crt /etc/containerd/certs.d/${host}/   # on each node`,
            `printf 'server = "https://${host}"\\n\\n[host."https://${host}"]\\n  ca = "/etc/containerd/certs.d/${host}/ca.crt"\\n' > /etc/containerd/certs.d/${host}/hosts.toml`,
          ],
    };
  },
});
