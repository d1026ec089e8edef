import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '../src/base/random.ts';
import { crashRounds } from './crash-rounds.ts';
import { etcdFaults } from './etcd-faults.ts';
import { hasEtcd } from './etcd-process.ts';

/** `npm run crash-test [-- ROUNDS]`: kills of the embedded store, then faults of three etcd members. Exit 1 where anything was wrong. */
const rounds = Number(process.argv[2] ?? 200);
const say = (line: string): void => void process.stdout.write(`${line}\n`);
const dir = mkdtempSync(join(tmpdir(), 'coracle-crash-'));
try {
  const report = await crashRounds(dir, rounds, systemRandom(), say);
  say(
    `embedded store: ${report.rounds} kills, ${report.acknowledged} acknowledged writes, ${report.faults.length} faults`,
  );
  for (const fault of report.faults) say(`  ${fault}`);
  if (report.faults.length > 0) process.exitCode = 1;
} finally {
  rmSync(dir, { recursive: true, force: true });
}
if (hasEtcd()) {
  const report = await etcdFaults({ seconds: Math.max(10, rounds / 5), random: systemRandom(), tell: say });
  say(
    `three etcd members: ${report.faultsMade} faults made, ${report.operations} operations, ${report.unanswered} without answer, ` +
      `${report.wrong.length} registers not linearizable`,
  );
  for (const line of report.wrong) say(`  ${line}`);
  if (report.wrong.length > 0) process.exitCode = 1;
} else say('three etcd members: skipped, etcd is not installed');
