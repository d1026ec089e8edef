import { execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { kubectls, type Output, run, startTestCluster, type TestCluster } from './harness.ts';
import { testRuntimes } from './runtimes.ts';

const newest = kubectls().at(-1) ?? 'kubectl';
const haveScript = ((): boolean => {
  try {
    execFileSync('script', ['--version']);
    return true;
  } catch {
    return false;
  }
})();

/** What a URL answers, as text. */
const fetchText = (url: string): Promise<string> =>
  new Promise((resolve, reject) => {
    get(url, (response) => {
      let text = '';
      response.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });

describe.skipIf(kubectls().length === 0).each(await testRuntimes())('kubectl on $name', (runtime) => {
  let cluster: TestCluster;
  const k = (...args: readonly string[]): Promise<Output> => cluster.kubectl(...args);
  const ok = (line: string): Promise<string> => cluster.ok(...line.split(' '));
  /** The manifest in a file, for commands that want one. */
  const file = (name: string, text: string): string => {
    const path = join(cluster.dataDir, name);
    writeFileSync(path, text);
    return path;
  };
  const deployment = (name: string, replicas: number, extra = ''): string => `
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name} } }
    spec:
      terminationGracePeriodSeconds: 1
      ${extra}
      containers:
        - name: main
          image: "${runtime.image}"
          command: [sh, -c, "mkdir -p /srv; echo hello from web > /srv/index.html; echo started; exec httpd -f -p 8080 -h /srv"]
          ports: [{ containerPort: 8080, name: http }]
`;
  const onePod = (name: string, command: string, rest = ''): string => `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  terminationGracePeriodSeconds: 1
  ${rest}
  containers: [{ name: main, image: "${runtime.image}", stdin: true, stdinOnce: true, command: [sh, -c, ${JSON.stringify(command)}] }]
`;
  /** Starts kubectl and gives its output so far, until it is stopped. */
  const background = (...args: readonly string[]): { readonly said: () => string; stop(): void } => {
    const child = spawn(newest, args, {
      env: { ...process.env, KUBECONFIG: cluster.kubeconfig, HOME: cluster.dataDir },
    });
    let said = '';
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        said += chunk.toString();
      });
    return { said: () => said, stop: () => child.kill('SIGKILL') };
  };
  const eventually = async (probe: () => string | Promise<string>, pattern: RegExp): Promise<string> => {
    let last = '';
    await expect
      .poll(
        async () => {
          last = await probe();
          return last;
        },
        { timeout: 20_000, interval: 100 },
      )
      .toMatch(pattern);
    return last;
  };

  beforeAll(async () => {
    cluster = await startTestCluster({ args: [...runtime.args, '--store', 'memory'] });
    await runtime.prepare(cluster);
    await cluster.until(['get', 'nodes'], (out) => /\bReady\b/.test(out), 60_000);
    await cluster.apply(deployment('web', 2));
    await cluster.apply(onePod('shell', 'sleep 3600'));
    await ok('rollout status deploy/web --timeout=60s');
    await ok('wait --for=condition=Ready pod/shell --timeout=60s');
  }, 120_000);
  afterAll(() => cluster?.dispose());

  describe('applies', () => {
    it('from the client, with a record of what was applied, and deletes what is gone from the files', async () => {
      const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME, labels: {set: one}}\ndata: {a: "1"}\n';
      const path = file('cm.yaml', text.replace('NAME', 'one'));
      expect(await ok(`apply -f ${path}`)).toBe('configmap/one created\n');
      expect(await ok(`apply -f ${path}`)).toBe('configmap/one unchanged\n');
      expect((await k('diff', '-f', file('cm2.yaml', text.replace('NAME', 'one').replace('"1"', '"2"')))).code).toBe(1);
      expect(await ok(`apply view-last-applied cm/one -o json`)).toContain('"a": "1"');
      const other = file('cm3.yaml', text.replace('NAME', 'two'));
      expect(await ok(`apply --prune -l set=one --prune-allowlist=core/v1/ConfigMap -f ${other}`)).toContain(
        'configmap/one pruned',
      );
      await ok('delete cm two');
    });

    it('on the server, and says who owns a field in conflict', async () => {
      const text = (value: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ssa}\ndata: {a: "${value}"}\n`;
      expect(await ok(`apply --server-side --field-manager=one -f ${file('a.yaml', text('1'))}`)).toBe(
        'configmap/ssa serverside-applied\n',
      );
      const second = file('b.yaml', text('2'));
      const refused = await k('apply', '--server-side', '--field-manager=two', '-f', second);
      expect(refused.stderr).toContain('Apply failed with 1 conflict: conflict with "one"');
      await ok(`apply --server-side --field-manager=two --force-conflicts -f ${second}`);
      expect(await ok('get cm ssa -o jsonpath={.data.a}')).toBe('2');
      expect(await ok(`delete -f ${second}`)).toBe('configmap "ssa" deleted\n');
    });

    it('a kustomization', async () => {
      const dir = join(cluster.dataDir, 'kust');
      mkdirSync(dir, { recursive: true });
      writeFileSync(
        join(dir, 'kustomization.yaml'),
        'namePrefix: k-\nconfigMapGenerator: [{name: gen, literals: [a=b]}]\n',
      );
      expect(await ok(`apply -k ${dir}`)).toMatch(/configmap\/k-gen-\w+ created/);
    });
  });

  it.each<[command: string, expected: RegExp]>([
    ['create namespace made', /namespace\/made created/],
    ['create quota q --hard=pods=10 -n made', /resourcequota\/q created/],
    ['create secret generic s --from-literal=a=b', /secret\/s created/],
    ['create secret tls t --cert=CERT --key=KEY', /secret\/t created/],
    ['create service clusterip plain --tcp=80:8080', /service\/plain created/],
    ['create service externalname out --external-name=example.com', /service\/out created/],
    ['create job once --image=IMAGE -- true', /job.batch\/once created/],
    ['create cronjob nightly --image=IMAGE --schedule=0_0_*_*_* -- true', /cronjob.batch\/nightly created/],
    ['create job from-cron --from=cronjob/nightly', /job.batch\/from-cron created/],
    ['create role reader --verb=get,list --resource=pods', /role.rbac.authorization.k8s.io\/reader created/],
    ['create rolebinding reads --role=reader --serviceaccount=default:bot', /rolebinding.*reads created/],
    ['create clusterrole nodes --verb=get --resource=nodes', /clusterrole.*nodes created/],
    ['create serviceaccount bot', /serviceaccount\/bot created/],
    ['create token bot', /^ey[\w-]+\.[\w-]+\.[\w-]+\n?$/],
    ['create priorityclass high --value=1000', /priorityclass.*high created/],
    ['create ingress in --rule=a.example/*=web:80', /ingress.*in created/],
    ['create pdb safe --selector=app=web --min-available=1', /poddisruptionbudget.*safe created/],
    ['expose deployment web --port=80 --target-port=http', /service\/web exposed/],
    ['autoscale deployment web --min=1 --max=3 --cpu-percent=80 --name=scaler', /horizontalpodautoscaler.*autoscaled/],
    ['delete hpa scaler', /deleted/],
    ['label pod shell a=b', /pod\/shell labeled/],
    ['label pod shell a-', /pod\/shell unlabeled/],
    ['annotate pod shell note=x', /pod\/shell annotated/],
    ['get pods -o wide', /NAME +READY +STATUS +RESTARTS +AGE +IP +NODE/],
    ['get pod shell -o yaml', /^apiVersion: v1\nkind: Pod\n/],
    ['get pod shell -o json', /^{\n {4}"apiVersion": "v1"/],
    ['get pods -l app=web -o jsonpath={.items[*].metadata.labels.app}', /^web web$/],
    ['get pod shell -o custom-columns=NAME:.metadata.name,PHASE:.status.phase', /^NAME +PHASE\nshell +Running\n$/],
    ['get pod shell -o go-template={{.metadata.name}}', /^shell$/],
    ['get pods --field-selector=status.phase=Running -o name', /pod\/shell/],
    ['get all', /deployment.apps\/web/],
    ['get --raw /readyz', /^ok$/],
    ['describe pod shell', /Container ID:.*\n/],
    ['describe deploy web', /NewReplicaSet: +web-/],
    ['describe node', /Allocated resources:/],
    ['logs shell', /^$/],
    ['logs deploy/web', /started/],
    ['logs -l app=web --prefix', /\[pod\/web-.*\/main\] started/],
    ['events --for deployment/web', /ScalingReplicaSet/],
    ['explain deployment.spec.strategy --recursive', /rollingUpdate\t<.*RollingUpdateDeployment>/],
    ['explain pods.spec.containers.image', /FIELD: image <string>/],
    ['api-resources --namespaced=true -o name', /deployments.apps/],
    ['api-versions', /apps\/v1\n/],
    ['auth can-i delete pods', /^yes\n$/],
    ['auth can-i get pods --as=system:serviceaccount:default:bot', /^yes\n$/],
    ['auth can-i --list --as=system:serviceaccount:default:bot', /pods +\[\] +\[\] +\[get list\]/],
    ['auth whoami', /Username +kubernetes-admin/],
    ['auth reconcile -f RBAC', /clusterrole.*reconciled/],
    ['cluster-info', /Kubernetes control plane.* is running at/],
    ['version', /Server Version: v1\.36/],
    ['config view', /certificate-authority-data: DATA\+OMITTED/],
    ['set image deploy/web main=IMAGE', /^$/],
    ['set env deploy/web A=B', /deployment.apps\/web env updated/],
    ['set resources deploy/web --limits=memory=64Mi', /deployment.apps\/web resource requirements updated/],
    ['set serviceaccount deploy/web bot', /deployment.apps\/web serviceaccount updated/],
    ['rollout status deploy/web --timeout=60s', /successfully rolled out/],
    ['rollout history deploy/web', /REVISION +CHANGE-CAUSE\n1 +<none>\n/],
    ['rollout undo deploy/web', /deployment.apps\/web rolled back/],
    ['rollout restart deploy/web', /deployment.apps\/web restarted/],
    ['rollout pause deploy/web', /paused/],
    ['rollout resume deploy/web', /resumed/],
    ['rollout status deploy/web --timeout=60s', /successfully rolled out/],
    ['scale deploy/web --replicas=3', /deployment.apps\/web scaled/],
    ['wait --for=jsonpath={.status.readyReplicas}=3 deploy/web --timeout=60s', /condition met/],
    ['wait --for=condition=Complete job/once --timeout=60s', /condition met/],
    ['taint nodes --all dedicated=x:PreferNoSchedule', /tainted/],
    ['taint nodes --all dedicated-', /untainted/],
    ['delete job once from-cron --cascade=foreground', /deleted/],
    ['delete cronjob nightly --cascade=background', /deleted/],
    ['delete ns made --wait=false', /deleted/],
    ['wait --for=delete ns/made --timeout=60s', /^$/],
  ])('%s', async (command, expected) => {
    const rules = 'apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: rec}\nrules: []\n';
    if (command.includes('CERT'))
      execFileSync(
        'openssl',
        'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout k.pem -out c.pem'.split(' '),
        {
          cwd: cluster.dataDir,
          stdio: 'ignore',
        },
      );
    const words: Readonly<Record<string, () => string>> = {
      CERT: () => join(cluster.dataDir, 'c.pem'),
      KEY: () => join(cluster.dataDir, 'k.pem'),
      IMAGE: () => runtime.image,
      RBAC: () => file('rbac.yaml', rules),
    };
    const args = command.split(' ').map((arg) => {
      const text = arg.replace(/\b(CERT|KEY|IMAGE|RBAC)\b/, (word) => words[word]?.() ?? word);
      return arg.startsWith('--schedule') ? text.replaceAll('_', ' ') : text;
    });
    expect(await cluster.ok(...args)).toMatch(expected);
  });

  it('answers top, or says that there are no metrics yet', async () => {
    const { code, stdout, stderr } = await k('top', 'nodes');
    if (code === 0) expect(stdout).toMatch(/NAME +CPU\(cores\)/);
    else expect(stderr).toMatch(/^error: (Metrics API not available|metrics not available yet)\n$/);
  });

  it('watches', async () => {
    const watching = background('get', 'cm', '--watch', '-l', 'w=1', '-o', 'name');
    await eventually(async () => {
      await k('create', 'cm', 'w1');
      await k('label', 'cm', 'w1', 'w=1', '--overwrite');
      await k('label', 'cm', 'w1', 'w-');
      return watching.said();
    }, /configmap\/w1/);
    watching.stop();
  });

  it('patches in every way', async () => {
    await ok('create cm p --from-literal=a=1');
    const patch = (type: string, text: string) => cluster.ok('patch', 'cm', 'p', '--type', type, '-p', text);
    expect(await patch('merge', '{"data":{"b":"2"}}')).toBe('configmap/p patched\n');
    expect(await patch('json', '[{"op":"remove","path":"/data/a"}]')).toBe('configmap/p patched\n');
    expect(await patch('strategic', '{"data":{"c":"3"}}')).toBe('configmap/p patched\n');
    expect(await patch('merge', '{"data":{"c":"3"}}')).toBe('configmap/p patched (no change)\n');
    expect(await ok('get cm p -o jsonpath={.data}')).toBe('{"b":"2","c":"3"}');
    await cluster.ok('patch', 'deploy', 'web', '--subresource=scale', '--type=merge', '-p', '{"spec":{"replicas":2}}');
  });

  it('replaces, also by force, and edits', async () => {
    const text = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\ndata: {x: "1"}\n';
    expect(await ok(`replace -f ${file('r.yaml', text)}`)).toBe('configmap/p replaced\n');
    expect(await ok(`replace --force -f ${file('r.yaml', text)}`)).toMatch(
      /configmap "p" deleted.*\nconfigmap\/p replaced\n/,
    );
    const editor = file('editor.sh', '#!/bin/sh\nsed -i \'s/x: "1"/x: "9"/\' "$1"\n');
    execFileSync('chmod', ['+x', editor]);
    const edited = await cluster.kubectlWith({ env: { EDITOR: editor } }, 'edit', 'cm', 'p');
    expect(edited.stdout).toBe('configmap/p edited\n');
    expect(await ok('get cm p -o jsonpath={.data.x}')).toBe('9');
  });

  describe('in pods', () => {
    it('runs a pod to its end', async () => {
      const { code, stdout } = await k(
        ...`run once --rm -i --restart=Never --image=${runtime.image} --`.split(' '),
        'echo',
        'ran',
      );
      expect(stdout).toContain('ran\n');
      expect(code).toBe(0);
    });

    it('executes: streams, exit codes, standard input', async () => {
      const out = await k('exec', 'shell', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7');
      expect([out.code, out.stdout, out.stderr]).toEqual([7, 'out\n', 'err\ncommand terminated with exit code 7\n']);
      const fed = await cluster.kubectlWith({ input: 'a\nb\n' }, 'exec', '-i', 'shell', '--', 'wc', '-l');
      expect(fed.stdout.trim()).toBe('2');
    });

    it.skipIf(!haveScript)('gives a terminal', async () => {
      const env = { KUBECONFIG: cluster.kubeconfig, HOME: cluster.dataDir, TERM: 'dumb' };
      const { stdout } = await run(
        'script',
        ['-qec', `${newest} exec -it shell -- sh -c 'test -t 0 && echo a terminal'`, '/dev/null'],
        { env },
      );
      expect(stdout).toContain('a terminal');
    });

    it('follows logs, and shows those of the run before', async () => {
      await cluster.apply(onePod('ticks', 'for i in 1 2 3; do echo tick $i; sleep 0.3; done; exit 1'));
      await cluster.until(
        ['get', 'pod', 'ticks'],
        (out) => !out.includes('ContainerCreating') && !out.includes('Pending'),
      );
      await cluster.until(['logs', 'ticks'], (out) => out.includes('tick 3'));
      await cluster.until(
        ['get', 'pod', 'ticks', '-o', 'jsonpath={.status.containerStatuses[0].restartCount}'],
        (out) => Number(out) > 0,
      );
      expect(await ok('logs ticks --previous')).toBe('tick 1\ntick 2\ntick 3\n');
      const followed = background('logs', '-f', 'deploy/web', '--tail=1');
      await eventually(followed.said, /started/);
      followed.stop();
      await ok('delete pod ticks --grace-period=0 --force');
    });

    it('copies files both ways', async () => {
      const there = file('cp.txt', 'copied\n');
      await ok(`cp ${there} shell:/tmp/there`);
      const back = join(cluster.dataDir, 'back.txt');
      await ok(`cp shell:/tmp/there ${back}`);
      expect(readFileSync(back, 'utf8')).toBe('copied\n');
    });

    it('attaches', async () => {
      await cluster.apply(onePod('reader', 'while read line; do echo got $line; done', 'restartPolicy: Never'));
      await ok('wait --for=condition=Ready pod/reader --timeout=60s');
      const { stdout } = await cluster.kubectlWith(
        { input: 'one\ntwo\n', timeoutMs: 20_000 },
        'attach',
        '-i',
        'reader',
      );
      expect(stdout).toContain('got one\ngot two\n');
      await ok('delete pod reader --now');
    });

    it('forwards ports, of pods and of Services', async () => {
      for (const target of ['deploy/web', 'svc/web']) {
        const forward = background('port-forward', target, `:${target.startsWith('svc') ? 80 : 8080}`);
        const port = /127\.0\.0\.1:(\d+)/.exec(await eventually(forward.said, /Forwarding from 127\.0\.0\.1:\d+/))?.[1];
        expect(await fetchText(`http://127.0.0.1:${port}/`)).toBe('hello from web\n');
        forward.stop();
      }
    });

    it('goes through the proxy', async () => {
      const proxy = background('proxy', '--port=0');
      const port = /127\.0\.0\.1:(\d+)/.exec(await eventually(proxy.said, /Starting to serve on .*:\d+/))?.[1];
      const at = `http://127.0.0.1:${port}/api/v1/namespaces/default`;
      expect(await fetchText(`${at}/services/web:80/proxy/`)).toBe('hello from web\n');
      proxy.stop();
    });

    it('debugs: an ephemeral container, a copy, a node', async () => {
      const args = `--image=${runtime.image} --profile=general`.split(' ');
      await cluster.ok('debug', 'shell', ...args, '--container=dbg', '--', 'sleep', '60');
      await cluster.until(
        ['get', 'pod', 'shell', '-o', 'jsonpath={.status.ephemeralContainerStatuses[0].state.running.startedAt}'],
        (out) => out !== '',
      );
      expect(await ok('exec shell -c dbg -- echo in the debugger')).toBe('in the debugger\n');
      await cluster.ok('debug', 'shell', ...args, '--copy-to=copy', '--', 'sleep', '60');
      await ok('wait --for=condition=Ready pod/copy --timeout=60s');
      const node = (await ok('get nodes -o jsonpath={.items[0].metadata.name}')).trim();
      expect(await cluster.ok('debug', `node/${node}`, ...args, '--', 'sleep', '60')).toMatch(
        /Creating debugging pod node-debugger-/,
      );
      await ok('delete pod copy --now');
    });
  });

  it('deletes with owners and without', async () => {
    await cluster.apply(deployment('orphans', 1));
    await ok('rollout status deploy/orphans --timeout=60s');
    await ok('delete deploy orphans --cascade=orphan');
    expect(await ok('get rs -l app=orphans -o name')).toMatch(/replicaset/);
    await ok('delete rs -l app=orphans --cascade=foreground');
    await cluster.until(['get', 'pods', '-l', 'app=orphans', '-o', 'name'], (out) => out === '');
  });

  it('cordons, drains within a budget, and uncordons', async () => {
    const node = (await ok('get pods -l app=web -o jsonpath={.items[0].spec.nodeName}')).trim();
    expect(await ok(`cordon ${node}`)).toBe(`node/${node} cordoned\n`);
    expect(await ok(`get node ${node}`)).toContain('Ready,SchedulingDisabled');
    const drain = ['drain', node, '--ignore-daemonsets', '--delete-emptydir-data', '--force'];
    if (runtime.name === 'sim') expect(await cluster.ok(...drain, '--timeout=60s')).toContain(`node/${node} drained`);
    else {
      // One node: the budget keeps the last pod where it is.
      const held = await k(...drain, '--timeout=4s', '--pod-selector=app=web');
      expect(held.stderr).toContain("Cannot evict pod as it would violate the pod's disruption budget.");
    }
    expect(await ok(`uncordon ${node}`)).toBe(`node/${node} uncordoned\n`);
  });

  it('approves and denies certificate requests', async () => {
    const key = join(cluster.dataDir, 'csr.key');
    execFileSync(
      'openssl',
      [
        'req',
        '-new',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-subj',
        '/O=devs/CN=ann',
        '-keyout',
        key,
        '-out',
        `${key}.csr`,
      ],
      { stdio: 'ignore' },
    );
    const request = readFileSync(`${key}.csr`).toString('base64');
    for (const name of ['yes', 'no'])
      await cluster.apply(
        `apiVersion: certificates.k8s.io/v1\nkind: CertificateSigningRequest\nmetadata: {name: "${name}"}\nspec: {request: ${request}, signerName: kubernetes.io/kube-apiserver-client, usages: [client auth]}\n`,
      );
    expect(await ok('certificate approve yes')).toMatch(/approved/);
    expect(await ok('certificate deny no')).toMatch(/denied/);
    await cluster.until(['get', 'csr', 'yes'], (out) => out.includes('Approved,Issued'));
    expect(await ok('describe csr yes')).toMatch(/Common Name:\s+ann/);
  });

  it('dumps the cluster', async () => {
    expect(await ok('cluster-info dump --namespaces default')).toContain('"kind": "PodList"');
  });

  describe.each(kubectls().map((binary) => [binary.split('/').at(-1) ?? binary, binary] as const))(
    '%s',
    (_, binary) => {
      it.each<[command: string, expected: RegExp]>([
        ['get pods -o wide', /NOMINATED NODE/],
        ['get deploy web -o yaml', /^apiVersion: apps\/v1\n/],
        ['get pods -A -o jsonpath={.items[0].kind}', /^Pod$/],
        ['get nodes -o custom-columns=N:.metadata.name', /^N\n/],
        ['describe deploy web', /RollingUpdateStrategy:/],
        ['explain deploy.spec.replicas', /replicas <integer>/],
        ['api-resources', /deployments +deploy +apps\/v1 +true +Deployment/],
        ['auth can-i create pods', /^yes\n$/],
        ['logs deploy/web', /started/],
        ['label deploy web by=me --overwrite', /labeled|not labeled/],
        ['exec deploy/web -- echo hi', /^hi\n$/],
        ['rollout history deploy/web', /CHANGE-CAUSE/],
        ['apply --server-side --dry-run=server -f MANIFEST', /serverside-applied \(server dry run\)/],
        ['apply -f MANIFEST', /configmap\/versions (created|unchanged|configured)/],
      ])('%s', async (command, expected) => {
        const path = file(
          'versions.yaml',
          'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: versions}\ndata: {a: b}\n',
        );
        const { code, stdout, stderr } = await cluster.kubectlWith(
          { binary },
          ...command.replace('MANIFEST', path).split(' '),
        );
        expect([code, stdout, stderr]).toEqual([0, expect.stringMatching(expected), expect.anything()]);
      });
    },
  );
});
