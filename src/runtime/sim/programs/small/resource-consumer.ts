import type { Process } from '../../kernel/process.ts';
import { formValue } from '../agnhost/netexec.ts';
import { goFlags, goHttpError, goServe, goText } from '../go.ts';

/** resource-consumer: uses CPU and memory for a while, as asked over HTTP (test/images/agnhost/resource-consumer). */
export async function resourceConsumer(p: Process): Promise<number> {
  const flags = goFlags(
    p.argv.slice(1).filter((word) => word !== 'resource-consumer'),
    { port: 8080 },
  );
  if ('problem' in flags) {
    await p.complain(`${flags.problem}\n`);
    return 2;
  }
  let cores = 0;
  const { clock } = p.workload;
  return goServe(p, flags.number('port'), async (request) => {
    if (request.method !== 'POST' && request.path.startsWith('/Consume'))
      return goHttpError(400, 'Bad request. Not a POST request');
    const seconds = Number(formValue(request, 'durationSec'));
    switch (request.path) {
      case '/ConsumeCPU': {
        const millicores = formValue(request, 'millicores');
        if (millicores === '' || !(seconds > 0))
          return goHttpError(400, 'Not given parameters: millicores or durationSec');
        const own = Number(millicores) / 1000;
        cores += own;
        p.spin(cores);
        clock.after(
          seconds * 1000,
          () => {
            cores = Math.max(0, cores - own);
            if (p.alive) p.spin(cores);
          },
          { background: true },
        );
        return goText(`ConsumeCPU\n${millicores} millicores\n${seconds} durationSec\n`);
      }
      case '/ConsumeMem': {
        const megabytes = formValue(request, 'megabytes');
        if (megabytes === '' || !(seconds > 0))
          return goHttpError(400, 'Not given parameters: megabytes or durationSec');
        const bytes = Number(megabytes) * (1 << 20);
        await p.allocate(bytes);
        clock.after(
          seconds * 1000,
          () => {
            if (p.alive) void p.allocate(-bytes);
          },
          { background: true },
        );
        return goText(`ConsumeMem\n${megabytes} megabytes\n${seconds} durationSec\n`);
      }
      case '/metrics':
        return goText('');
      default:
        return goHttpError(404, `Unknown function: ${request.path}`);
    }
  });
}
