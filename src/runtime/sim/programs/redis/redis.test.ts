import { expect, test } from 'vitest';
import { builtinImage, simBox } from '../sim-box.ts';

const image = builtinImage('redis');

test('redis answers, expires, persists and ends cleanly', async () => {
  const box = simBox(image);
  const server = box.start();
  await server.saw('Ready to accept connections tcp');
  const cli = async (...words: string[]) => (await box.run(['redis-cli', ...words])).stdout;
  expect(await cli('ping')).toBe('PONG\n');
  expect(await cli('set', 'k', 'v')).toBe('OK\n');
  expect(await cli('get', 'k')).toBe('v\n');
  expect(await cli('get', 'none')).toBe('\n');
  expect(await cli('lpush', 'l', 'a', 'b')).toBe('2\n');
  expect(await cli('lrange', 'l', '0', '-1')).toBe('b\na\n');
  expect(await cli('get', 'l')).toBe('WRONGTYPE Operation against a key holding the wrong kind of value\n');
  expect(await cli('--no-raw', 'hset', 'h', 'f', '1')).toBe('(integer) 1\n');
  expect(await cli('config', 'get', 'maxmemory')).toBe('maxmemory\n0\n');
  expect(await cli('nope')).toContain("ERR unknown command 'nope'");
  server.p.signal('TERM', false);
  expect(await server.ended).toBe(0);
  expect(server.stdout()).toContain('DB saved on disk');
  const again = box.start();
  await again.saw('Ready to accept connections tcp');
  expect(await cli('dbsize')).toBe('3\n');
});

test('a password is asked for', async () => {
  const box = simBox(image);
  await box.start(['docker-entrypoint.sh', 'redis-server', '--requirepass', 'secret']).saw('Ready to accept');
  expect((await box.run(['redis-cli', 'ping'])).stdout).toBe('NOAUTH Authentication required.\n');
  expect((await box.run(['redis-cli', '--no-auth-warning', '-a', 'secret', 'ping'])).stdout).toBe('PONG\n');
  const refused = await box.run(['redis-cli', '-p', '1', 'ping']);
  expect(refused).toEqual({
    stdout: '',
    stderr: 'Could not connect to Redis at 127.0.0.1:1: Connection refused\n',
    code: 1,
  });
});

test('a wrong configuration is refused', async () => {
  const result = await simBox(image).run(['redis-server', '--nonsense', '1']);
  expect(result.code).toBe(1);
  expect(result.stderr).toContain('>>> \'nonsense "1"\'\nBad directive or wrong number of arguments\n');
});
