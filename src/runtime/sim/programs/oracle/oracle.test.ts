import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { builtinImage, type SimBox, simBox } from '../sim-box.ts';
import { appletCorpus } from './applet-corpus.ts';
import { shellCorpus } from './shell-corpus.ts';

const busybox = '/bin/busybox';
const present = spawnSync(busybox, ['true']).status === 0;

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Numbers of processes and what usage texts say differ by nature. */
const plain = ({ stdout, stderr, code }: Outcome): Outcome => ({
  stdout,
  stderr: stderr
    .replace(/BusyBox v[\s\S]*$/, 'usage\n')
    .replace(/\d+\+\d+ records[\s\S]*$/, 'records\n')
    .replace(/(terminated|Terminated|Killed)\n/g, ''),
  code,
});

// The oracle: the same command lines in the simulation and in the machine's own busybox.
describe.skipIf(!present)('as busybox does', () => {
  let bin = '';
  let box: SimBox;
  let count = 0;
  beforeAll(() => {
    bin = mkdtempSync(join(tmpdir(), 'busybox-'));
    spawnSync(busybox, ['--install', '-s', bin]);
    box = simBox(builtinImage('busybox'));
  });
  afterAll(() => rmSync(bin, { recursive: true, force: true }));

  const real = (script: string): Outcome => {
    const cwd = mkdtempSync(join(tmpdir(), 'oracle-'));
    const { stdout, stderr, status, signal } = spawnSync(join(bin, 'sh'), ['-c', script], {
      cwd,
      argv0: 'sh',
      env: { PATH: bin, HOME: '/root' },
      timeout: 10_000,
      input: '',
    });
    rmSync(cwd, { recursive: true, force: true });
    return { stdout: stdout.toString(), stderr: stderr.toString(), code: status ?? (signal === 'SIGTERM' ? 143 : 137) };
  };
  const simulated = async (script: string): Promise<Outcome> => {
    const cwd = `/w${count++}`;
    box.write(`${cwd}/.keep`, '');
    await box.run(['rm', `${cwd}/.keep`]);
    return box.run(['sh', '-c', script], { cwd, env: { PATH: '/bin', HOME: '/root' } });
  };

  test.each(shellCorpus.map((script) => [script]))('sh -c %j', async (script) => {
    expect(plain(await simulated(script))).toEqual(plain(real(script)));
  });
  test.each(appletCorpus.map((script) => [script]))('%j', async (script) => {
    expect(plain(await simulated(script))).toEqual(plain(real(script)));
  });
});
