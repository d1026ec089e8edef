import { describe, expect, test } from 'vitest';
import { scriptedImage } from '../images/scripted-image.ts';
import { builtinImage, simBox } from './sim-box.ts';

const scripted = (settings: Record<string, string>, memoryLimit = 0) =>
  simBox(scriptedImage('docker.io/acme/app', '1.0'), {
    memoryLimit,
    annotations: Object.fromEntries(Object.entries(settings).map(([key, value]) => [`sim.coracle.dev/${key}`, value])),
  });

describe('a scripted container', () => {
  test('logs, exits with its code', async () => {
    const run = scripted({ log: 'one\ntwo', 'error-log': 'oops', 'exit-code': '3', 'exit-after': '10ms' }).start();
    expect(await run.ended).toBe(3);
    expect([run.stdout(), run.stderr()]).toEqual(['one\ntwo\n', 'oops\n']);
  });

  test('listens, and stops when told to', async () => {
    const box = scripted({ log: 'up', listen: 'http:8080/healthz=503, http:8080, tcp:5432', 'http-body': 'hello\n' });
    const run = box.start();
    await run.saw('up');
    const client = simBox(builtinImage('busybox'), { network: box.network });
    expect((await client.run(['wget', '-qO-', `http://${box.ip}:8080/any`])).stdout).toBe('hello\n');
    expect((await client.run(['wget', '-qO-', `http://${box.ip}:8080/healthz`])).stderr).toContain(
      '503 Service Unavailable',
    );
    expect((await client.run(['nc', '-z', box.ip, '5432'])).code).toBe(0);
    run.p.signal('TERM', false);
    expect(await run.ended).toBe(0);
  });

  test('grows until it is killed', async () => {
    const run = scripted({ memory: '10Mi', 'memory-growth': '100Mi/s' }, 40 << 20).start();
    expect(await run.ended).toBe(137);
  });

  test('crashes', async () => {
    expect(await scripted({ 'crash-after': '1ms' }).start().ended).toBe(139);
  });

  test('says what is wrong with its annotations', async () => {
    const run = scripted({ 'exit-code': 'x' }).start();
    expect(await run.ended).toBe(1);
    expect(run.stderr()).toBe(
      'simulated runtime: annotation sim.coracle.dev/exit-code: "x" is not a number between 0 and 255\n',
    );
  });
});
