import { faults } from '../src/doctor/faults/faults.ts';
import { allRules } from '../src/doctor/rules/index.ts';
import { freshDir, removeDir, startClusterProcess } from './cluster-process.ts';
import { crowd } from './why-crowd.ts';
import { judgeFaults, type Verdict } from './why-faults.ts';

// `npm run bench:why [faults|crowd] [--runtime sim|containerd] [NAME…]`: is the diagnosis right, and how fast is it on a large cluster?

const yes = (it: boolean | undefined): string => (it === undefined ? '-' : it ? 'yes' : 'NO');

function line({ id, codes, top, evidence, fixed, instead, error }: Verdict): string {
  const note = error ? `could not start: ${error.slice(0, 100)}` : instead ? `said: ${instead}` : '';
  return `${id.padEnd(34)} ${codes.join(' ').padEnd(16)} ${yes(top).padEnd(6)} ${yes(evidence).padEnd(9)} ${yes(fixed).padEnd(6)} ${note}`.trimEnd();
}

async function runFaults(runtime: 'sim' | 'containerd', names: readonly string[]): Promise<void> {
  const wanted = faults.filter(
    (it) => it.fault.runtimes.includes(runtime) && (names.length === 0 || names.includes(it.id)),
  );
  const dir = freshDir();
  const cluster = await startClusterProcess(dir, '--runtime', runtime);
  try {
    console.log(`${wanted.length} faults on ${runtime}, of ${allRules.length} rules\n`);
    console.log(`${'fault'.padEnd(34)} ${'catalogue'.padEnd(16)} ${'top-1'.padEnd(6)} ${'evidence'.padEnd(9)} fix`);
    const verdicts = await judgeFaults(cluster.kubeconfig, wanted, (it) => console.log(line(it)));
    const share = (of: readonly Verdict[], good: (it: Verdict) => boolean): string =>
      `${of.filter(good).length} of ${of.length}`;
    const fixable = verdicts.filter((it) => it.fixed !== undefined);
    console.log(
      `\ntop-1 right: ${share(verdicts, (it) => it.top)}; evidence right: ${share(verdicts, (it) => it.evidence)}; fix works: ${share(fixable, (it) => it.fixed === true)}`,
    );
    if (verdicts.some((it) => !it.top)) process.exitCode = 1;
  } finally {
    await cluster.stop();
    removeDir(dir);
  }
}

async function runCrowd(): Promise<void> {
  const it = await crowd(10_000, 500, 20);
  console.log(
    `${it.pods} pods, ${it.failing} failing of ${it.causes} causes: ${it.seconds.toFixed(1)} s, ${Math.round(it.memory / 1e6)} MB at most, ${it.requests} requests (${Math.round(it.bytes / 1e6)} MB), ${it.right} of ${it.failing} pods rightly diagnosed${it.wrong.length > 0 ? `; wrong: ${it.wrong.join(', ')}` : ''}`,
  );
}

const [what, ...rest] = process.argv.slice(2);
const at = rest.indexOf('--runtime');
const runtime = at >= 0 && rest[at + 1] === 'containerd' ? 'containerd' : 'sim';
const names = rest.filter((_, i) => at < 0 || (i !== at && i !== at + 1));
if (what === undefined || what === 'crowd') await runCrowd();
if (what === undefined || what === 'faults') await runFaults(runtime, names);
