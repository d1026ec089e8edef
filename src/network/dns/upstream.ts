import { createSocket } from 'node:dgram';
import { connect } from 'node:net';
import type { Clock } from '../../base/clock.ts';
import { type Random, randomInt } from '../../base/random.ts';
import { type DnsAnswer, type DnsQuery, familyName } from './records.ts';
import { readAnswer, writeQuery } from './wire.ts';

/** Asks another server. Rejects when it does not answer in time. */
export type Exchange = (
  server: { readonly host: string; readonly port: number },
  query: DnsQuery,
  options: { readonly tcp: boolean },
) => Promise<DnsAnswer>;

const timeout = 2000;
const maxMessage = 65_535;

/** Real sockets: UDP first, TCP when the answer was cut. */
export function networkExchange(clock: Clock, random: Random): Exchange {
  return async (server, query, { tcp }) => {
    const id = randomInt(random, 65_536);
    const message = writeQuery(id, query);
    if (!tcp) {
      const reply = readAnswer(await overUdp(server, message, id, clock));
      if (!reply.truncated) return reply;
    }
    return readAnswer(await overTcp(server, message, clock));
  };
}

const late = (server: { readonly host: string; readonly port: number }): Error =>
  new Error(`${server.host}:${server.port} did not answer within ${timeout} ms`);

function overUdp(
  server: { readonly host: string; readonly port: number },
  message: Buffer,
  id: number,
  clock: Clock,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = createSocket(familyName(server.host));
    const end = (result: Buffer | Error): void => {
      timer.cancel();
      socket.close();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const timer = clock.after(timeout, () => end(late(server)), { background: true });
    socket.once('error', end);
    socket.on('message', (reply) => {
      if (reply.length >= 12 && reply.readUInt16BE(0) === id) end(reply);
    });
    // A connected socket takes answers from this server alone and hears that its port is closed.
    socket.connect(server.port, server.host, () => socket.send(message));
  });
}

function overTcp(
  server: { readonly host: string; readonly port: number },
  message: Buffer,
  clock: Clock,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(server.port, server.host);
    let received = Buffer.alloc(0);
    const end = (result: Buffer | Error): void => {
      timer.cancel();
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const timer = clock.after(timeout, () => end(late(server)), { background: true });
    socket.once('error', end);
    socket.once('close', () => end(new Error(`${server.host}:${server.port} closed the connection`)));
    socket.once('connect', () => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      if (received.length < 2) return;
      const wanted = received.readUInt16BE(0);
      if (received.length >= wanted + 2) end(received.subarray(2, wanted + 2));
      else if (received.length > maxMessage + 2) end(new Error('the answer is too long'));
    });
  });
}
