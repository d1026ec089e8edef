import type { Program, ProgramTable } from '../kernel/workload.ts';
import { shellProgram } from '../shell/sh.ts';

/** Waits for TERM or INT: what a pod's infrastructure container does. */
const pause: Program = (p) =>
  p.outside(
    new Promise<number>((resolve) => {
      for (const signal of ['INT', 'TERM'] as const) p.handle(signal, () => resolve(0));
    }),
  );

const sleep: Program = async (p) => {
  await p.sleep(Number(p.argv[1] ?? 0) * 1000);
  return 0;
};

const cat: Program = async (p) => {
  const files = p.argv.length > 1 ? p.argv.slice(1) : ['-'];
  for (const file of files) {
    const fd = file === '-' ? 0 : p.open(file, { read: true });
    for (let part = await p.read(fd); part !== null; part = await p.read(fd)) await p.print(part);
  }
  return 0;
};

const programs: Readonly<Record<string, Program>> = {
  pause,
  sleep,
  cat,
  ash: shellProgram('ash'),
  sh: shellProgram('dash'),
  bash: shellProgram('bash'),
};

/** The programs of the built-in images. */
export const builtinPrograms: ProgramTable = {
  find: (name) => (Object.hasOwn(programs, name) ? programs[name] : undefined),
};
