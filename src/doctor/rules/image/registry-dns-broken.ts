import { pullExample, resolving } from './example.ts';
import { pullRule } from './pull-rule.ts';

const full = 'docker.io/library/nginx:1.27';

export const registryDnsBroken = pullRule({
  id: 'registry-dns-broken',
  title: 'The node’s DNS does not answer',
  codes: ['IMG-09'],
  symptoms: ['lookup …: i/o timeout', 'server misbehaving', 'Temporary failure in name resolution'],
  rank: 90,
  causes: ['no-dns'],
  meaning:
    'The node could not ask for the registry’s address at all: its name server does not answer, or answers with an error. Nothing is wrong with the image.',
  tell: '`lookup HOST on SERVER:53: … i/o timeout` (or `server misbehaving`, `connection refused`) instead of `no such host`, which is an answer.',
  fix: 'Repair the name server that the node uses (`/etc/resolv.conf` on the node) or the way to it. Pods’ DNS (CoreDNS) plays no part in pulls.',
  sick: [
    {
      when: 'the lookup times out',
      yaml: pullExample(
        'nginx:1.27',
        resolving(
          full,
          'Unknown',
          'failed to do request: Head "https://registry-1.docker.io/v2/library/nginx/manifests/1.27": dial tcp: lookup registry-1.docker.io on 10.0.0.2:53: read udp 10.0.0.7:47336->10.0.0.2:53: i/o timeout',
        ),
      ),
      says: '10.0.0.2:53',
    },
  ],
  claim(it) {
    const [, host = '', server] = /lookup (\S+?)(?: on (\S+))?: /.exec(it.text) ?? [];
    const node = it.pod.spec.nodeName ?? '';
    return {
      says: `Node ${node} cannot look up ${host}: its name server${server ? ` ${server}` : ''} does not answer.`,
      cause: `dns/${server ?? node}`,
      fix: 'Repair the node’s name server or the network to it.',
      commands: [
        `kubectl debug node/${node} -it --image=busybox -- nslookup ${host}${server ? ` ${server.replace(/:\d+$/, '')}` : ''}`,
      ],
    };
  },
});
