import { pullExample, resolving } from './example.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';

const image = '10.0.0.9:5000/shop:2';

export const registryPlainHttp = pullRule({
  id: 'registry-plain-http',
  title: 'The registry speaks plain HTTP, the node expects HTTPS',
  codes: ['IMG-11'],
  symptoms: ['http: server gave HTTP response to HTTPS client'],
  rank: 90,
  causes: ['plain-http'],
  meaning: 'Container runtimes speak HTTPS to every registry except localhost. This one answers in plain HTTP.',
  tell: 'The message says it, word for word.',
  fix: 'Give the registry a certificate, or tell each node’s runtime that this host is plain HTTP (containerd: `/etc/containerd/certs.d/HOST/hosts.toml`).',
  sick: [
    {
      when: 'an in-house registry has no TLS',
      yaml: pullExample(
        image,
        resolving(
          image,
          'Unknown',
          'failed to do request: Head "https://10.0.0.9:5000/v2/shop/manifests/2": http: server gave HTTP response to HTTPS client',
        ),
      ),
      says: '10.0.0.9:5000',
    },
  ],
  claim(it) {
    const host = it.ref?.host ?? it.image;
    return {
      says: `The registry ${host} answers in plain HTTP, and the node's runtime insists on HTTPS.`,
      cause: registryCause(it),
      fix: 'On every node, allow plain HTTP for this host, or (better) give the registry a certificate.',
      commands: [
        `mkdir -p /etc/containerd/certs.d/${host}   # on each node`,
        `printf 'server = "http://${host}"\\n\\n[host."http://${host}"]\\n  capabilities = ["pull", "resolve"]\\n' > /etc/containerd/certs.d/${host}/hosts.toml`,
      ],
    };
  },
});
