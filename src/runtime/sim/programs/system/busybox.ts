import type { Process } from '../../kernel/process.ts';
import type { Program } from '../../kernel/workload.ts';

/** `busybox NAME …` runs the applet; without a name it says what it is. `load` finds an applet's program. */
export function busyboxProgram(
  names: readonly string[],
  load: (name: string) => Promise<Program> | undefined,
): Program {
  return async (p: Process) => {
    const [, name, ...rest] = p.argv;
    if (name === undefined || name === '--help') {
      const list = names.join(', ');
      await p.print(
        `BusyBox v1.36.1 (2023-05-18 22:34:17 UTC) multi-call binary.\n\nUsage: busybox [function [arguments]...]\n   or: busybox --list[-full]\n\nCurrently defined functions:\n\t${list}\n`,
      );
      return 0;
    }
    if (name === '--list' || name === '--list-full') {
      await p.print(names.map((one) => `${name === '--list-full' ? 'bin/' : ''}${one}\n`).join(''));
      return 0;
    }
    const program = load(name === 'sh' ? 'ash' : name);
    if (!program || !names.includes(name)) {
      await p.complain(`${name}: applet not found\n`);
      return 127;
    }
    p.argv = [name, ...rest];
    p.comm = name.slice(0, 15);
    return (await program)(p);
  };
}
