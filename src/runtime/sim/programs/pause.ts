import type { Process } from '../kernel/process.ts';

/** The pause container: holds namespaces, reaps orphans, goes on INT and TERM (build/pause/linux/pause.c). */
export async function pause(p: Process): Promise<number> {
  if (p.argv[1] === '-v') {
    await p.print('pause.c 3.10\n');
    return 0;
  }
  let stop: (() => void) | undefined;
  let asked = false;
  const end = (): void => {
    asked = true;
    stop?.();
  };
  p.handle('INT', end);
  p.handle('TERM', end);
  while (!asked)
    await p.block((wake) => {
      stop = wake;
      return undefined;
    });
  await p.complain('Shutting down, got signal: Terminated\n');
  return 0;
}
