import { expect, test } from 'vitest';
import { simBox } from '../programs/sim-box.ts';
import { defineImage } from './define-image.ts';

test('an image of data and a small program', async () => {
  const image = defineImage({
    name: 'ghcr.io/acme/greeter:1.0',
    files: { '/etc/greeting': 'hello' },
    args: ['--loud'],
    async exec(context, argv) {
      await context.stdout(`${argv.join(' ')}\n`);
      context.onSignal('TERM', () => void context.exit(7));
      const greeting = await context.files.read('/etc/greeting');
      return context.serveHttp(8080, ({ path }) => ({ status: 200, body: `${greeting} ${path.slice(1)}\n` }));
    },
  });
  expect(image).toMatchObject({ repository: 'ghcr.io/acme/greeter', tags: ['1.0'] });
  const box = simBox(image);
  const run = box.start();
  await run.saw('/app --loud');
  const caller = simBox(
    defineImage({
      name: 'caller',
      async exec(context) {
        for (;;) {
          const reply = await context.fetch(`http://${box.ip}:8080/world`).catch(() => undefined);
          if (reply) {
            await context.stdout(`${reply.status} ${reply.body}`);
            return 0;
          }
          await context.sleep(5);
        }
      },
    }),
    { network: box.network },
  );
  expect(await caller.run(['/app'])).toEqual({ stdout: '200 hello world\n', stderr: '', code: 0 });
  run.p.signal('TERM', false);
  expect(await run.ended).toBe(7);
  expect(() => defineImage({ name: 'No Name', exec: () => 0 })).toThrow('invalid reference format');
});
