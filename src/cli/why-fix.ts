import { createInterface } from 'node:readline';
import { StatusError } from '../api/status.ts';
import { type Clock, sleep } from '../base/clock.ts';
import type { Client } from '../client/client.ts';
import { isBad } from '../doctor/engine.ts';
import type { Finding } from '../doctor/finding.ts';
import { applyFix, type PlannedFix, planFix } from '../doctor/fix/apply.ts';
import type { Look } from '../doctor/look.ts';
import { keyOf, show } from '../doctor/reference.ts';
import { complain, type Streams, say } from './output.ts';

export interface FixOptions {
  readonly seen: Look;
  readonly again: () => Promise<Look>;
  readonly client: Client;
  readonly clock: Clock;
  readonly streams: Streams;
  /** Do not ask. */
  readonly yes: boolean;
}

/** How long a repair may take to show, and how often is looked, milliseconds. */
const patienceMs = 120_000;
const pauseMs = 1500;

/** Shows each repair that can be made, makes it after asking, and watches until it is healthy. 0: healthy; 1: not. */
export async function fixFindings(options: FixOptions): Promise<number> {
  const { seen, streams } = options;
  const bad = seen.diagnosis.findings.filter(isBad);
  const able = bad.filter((it) => (it.remedy.actions ?? []).length > 0);
  if (able.length === 0) {
    complain(streams, 'Nothing here can be repaired without a decision of yours: see the commands above.');
    return 1;
  }
  const changed = new Set<string>();
  let done = 0;
  for (const finding of able) {
    say(streams, '');
    say(streams, `${finding.remedy.says} (${finding.rule}, ${show(finding.subject)})`);
    const actions = finding.remedy.actions ?? [];
    const targets = actions.flatMap((it) => ('target' in it ? [keyOf(it.target)] : []));
    // Positions in a list may have moved with an earlier repair of the same object: look again first.
    if (targets.some((it) => changed.has(it))) {
      say(streams, '  not now: the same object was just changed; run it again afterwards');
      continue;
    }
    if (!(await repair(finding, options))) continue;
    for (const it of targets) changed.add(it);
    done++;
  }
  return done === 0 ? 1 : await settle(options);
}

async function repair(finding: Finding, { client, clock, streams, yes }: FixOptions): Promise<boolean> {
  try {
    const plans: PlannedFix[] = [];
    for (const action of finding.remedy.actions ?? []) plans.push(await planFix(client, action));
    for (const { says, diff } of plans) {
      say(streams, `  ${says}`);
      for (const line of diff.split('\n')) if (line !== '') say(streams, `    ${painted(line, streams)}`);
    }
    if (!yes && !(await agreed(streams))) return false;
    for (const { action } of plans) await applyFix(client, clock, action);
    say(streams, '  done');
    return true;
  } catch (error) {
    if (!(error instanceof StatusError)) throw error;
    complain(streams, `  the server refuses: ${error.message}`);
    return false;
  }
}

function painted(line: string, { stdout, env }: Streams): string {
  if (stdout.isTTY !== true || env['NO_COLOR']) return line;
  const code = line.startsWith('+') ? 32 : line.startsWith('-') ? 31 : undefined;
  return code === undefined ? line : `\u001b[${code}m${line}\u001b[0m`;
}

function agreed({ stdin, stdout }: Streams): Promise<boolean> {
  const lines = createInterface({ input: stdin, output: stdout });
  return new Promise((resolve) => {
    let answered = false;
    lines.once('close', () => {
      if (!answered) resolve(false);
    });
    lines.question('  Do it? [y/N] ', (answer) => {
      answered = true;
      lines.close();
      resolve(/^y(?:es)?$/i.test(answer.trim()));
    });
  });
}

/** Looks again until nothing is wrong, and nothing is on its way, or says what is. */
async function settle({ again, clock, streams }: FixOptions): Promise<number> {
  say(streams, '');
  say(streams, 'Watching until it is healthy …');
  const end = clock.monotonic() + patienceMs;
  let last: Look;
  do {
    await sleep(clock, pauseMs);
    last = await again();
    const { findings, unexplained, looked } = last.diagnosis;
    if (!findings.some(isBad) && unexplained.length === 0 && looked.troubled === 0) {
      say(streams, 'Healthy now.');
      return 0;
    }
  } while (clock.monotonic() < end);
  const left = last.diagnosis.findings.filter(isBad);
  say(streams, `Not healthy after ${patienceMs / 1000} s:`);
  for (const it of left) say(streams, `  ${show(it.subject)}: ${it.says}`);
  if (left.length === 0) say(streams, `  ${last.diagnosis.looked.troubled} pods are still on the way`);
  return 1;
}
