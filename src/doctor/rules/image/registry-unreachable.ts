import { imageFault, pullExample, resolving } from './example.ts';
import { registryCause } from './pull.ts';
import { pullRule } from './pull-rule.ts';

const image = '10.0.0.9:5000/shop:2';

/** What the way of failing says about the place of the fault. */
function meaningOf(text: string): string {
  if (/connection refused/.test(text))
    return 'the host was reached, but nothing listens there (registry down, or a wrong port)';
  if (/TLS handshake timeout/.test(text))
    return 'the host was reached, but the TLS handshake never ended (proxy or MTU)';
  if (/no route to host|network is unreachable/.test(text)) return 'there is no way to that address from the node';
  if (/50[234] /.test(text)) return 'the registry itself is failing';
  return 'packets are lost on the way (firewall, proxy, or the host is down)';
}

export const registryUnreachable = pullRule({
  id: 'registry-unreachable',
  title: 'The registry cannot be reached from the node',
  codes: ['IMG-10', 'IMG-26'],
  symptoms: ['i/o timeout', 'connection refused', 'TLS handshake timeout', 'context deadline exceeded'],
  rank: 88,
  causes: ['unreachable'],
  meaning:
    'The registry’s name has an address, but the connection does not come about. `refused`: the host was reached and nothing listens. `timeout`: packets are lost, mostly by a firewall.',
  tell: 'When several workloads or images of one registry fail, it is the registry or the way out; when one node alone fails, it is that node’s network.',
  fix: 'Check the registry, the port, the firewall and the proxy settings of the container runtime on the node.',
  sick: [
    {
      when: 'nothing listens',
      yaml: pullExample(
        image,
        resolving(
          image,
          'Unknown',
          'failed to do request: Head "https://10.0.0.9:5000/v2/shop/manifests/2": dial tcp 10.0.0.9:5000: connect: connection refused',
        ),
      ),
      says: 'nothing listens',
    },
    {
      when: 'packets are lost',
      yaml: pullExample(
        image,
        resolving(
          image,
          'Unknown',
          'failed to do request: Head "https://10.0.0.9:5000/v2/shop/manifests/2": dial tcp 10.0.0.9:5000: i/o timeout',
        ),
      ),
      says: 'packets are lost',
    },
  ],
  fault: { manifest: imageFault('127.0.0.1:1/shop:2'), runtimes: ['sim', 'containerd'], fixable: false },
  claim(it) {
    const host = it.ref?.host ?? it.image;
    return {
      says: `Node ${it.pod.spec.nodeName ?? ''} cannot reach the registry ${host}: ${meaningOf(it.text)}.`,
      cause: registryCause(it),
      fix: 'Bring the registry back, or open the way to it.',
      commands: [
        `kubectl debug node/${it.pod.spec.nodeName ?? 'NODE'} -it --image=busybox -- wget -qO- https://${host === 'docker.io' ? 'registry-1.docker.io' : host}/v2/`,
      ],
    };
  },
});
