import { computed } from '../../evidence.ts';
import type { Claim } from '../../finding.ts';
import { watchCommand } from '../../remedy.ts';
import type { Rule } from '../../rule.ts';
import type { Snapshot } from '../../snapshot/snapshot.ts';
import { nearest } from '../../text/nearest.ts';
import { imageFault, pullExample, resolving, runningPod } from './example.ts';
import { pullClaim, pullFailures } from './pull.ts';

/** Official images that people use most: what a slip of a plain name was meant to be. */
const official =
  'nginx httpd redis postgres mysql mariadb mongo node python golang ruby php openjdk alpine ubuntu debian busybox fedora centos rabbitmq memcached traefik haproxy elasticsearch kibana grafana registry vault consul wordpress nextcloud ghost tomcat jenkins sonarqube influxdb telegraf cassandra couchdb neo4j zookeeper nats caddy hello-world'.split(
    ' ',
  );

const image = 'myapp:latest';
const full = 'docker.io/library/myapp:latest';
const denied =
  'pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed';

function* check(snapshot: Snapshot): Iterable<Claim> {
  for (const it of pullFailures(snapshot, 'denied')) {
    if (!it.ref?.repository.startsWith('library/')) continue;
    const name = it.ref.repository.slice('library/'.length);
    const alike = nearest(name, official, 2);
    const [guess] = alike;
    yield pullClaim(it, {
      says: guess
        ? `Docker Hub has no official image ${name} (did you mean ${alike.join(' or ')}?); an image of your own needs its registry in the name, or loading into the nodes.`
        : `The image ${it.image} names no registry, so it is sought among Docker Hub's official images, where there is none; it was probably built locally and never pushed or loaded.`,
      certainty: 'likely',
      evidence: [...it.evidence, computed(it.pod.ref, `${it.image} stands for ${it.ref.host}/${it.ref.repository}`)],
      cause: it.image,
      remedy: {
        says: guess
          ? `Correct the name to ${guess}, or push your own image and name its registry.`
          : 'Push the image to a registry and name that, or load it into the nodes and set imagePullPolicy: IfNotPresent.',
        commands: [
          `kind load docker-image ${it.image}   # kind; minikube: minikube image load ${it.image}; coracle: coracle image load FILE.tar`,
          `docker tag ${it.image} REGISTRY/${it.image} && docker push REGISTRY/${it.image}`,
        ],
        verify: watchCommand(it.pod),
      },
    });
  }
}

export const localImageNotLoaded: Rule = {
  id: 'local-image-not-loaded',
  title: 'A plain image name that no registry has',
  phase: 'image',
  codes: ['IMG-14'],
  symptoms: ['ErrImagePull', 'ImagePullBackOff', 'pull access denied'],
  severity: 'error',
  lint: 'never',
  rank: 89,
  meaning:
    'A name without a registry and without a slash, such as `myapp:latest`, means `docker.io/library/myapp`: one of the official images. An image that was only built on a laptop is not there. The same happens when the name of an official image is misspelt.',
  tell: '`pull access denied` for a name without a slash.',
  fix: 'Load the image into the nodes (`kind load docker-image`, `minikube image load`, `coracle image load`) with `imagePullPolicy: IfNotPresent`, or push it and write the registry into the name.',
  sick: [
    {
      when: 'a locally built image was never pushed',
      yaml: pullExample(image, resolving(full, 'Unknown', denied)),
      says: 'built locally',
    },
    {
      when: 'the name of an official image is misspelt',
      yaml: pullExample('ngnix:1.27', resolving('docker.io/library/ngnix:1.27', 'Unknown', denied)),
      says: 'did you mean nginx',
    },
  ],
  healthy: [{ when: 'the node has it', yaml: runningPod('web', image) }],
  fault: { manifest: imageFault('myapp:latest'), runtimes: ['sim'], fixable: false },
  check,
};
