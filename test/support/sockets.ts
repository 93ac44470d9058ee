import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import net from 'node:net';
import { type Test } from 'tap';
import { errnoCode } from '../../lib/errors.js';

/** The descriptor behind a server or a socket of Node.js. */
export function descriptorOf(owner: net.Server | net.Socket): number {
  return (owner as unknown as { readonly _handle: { readonly fd: number } })._handle.fd;
}

/** The descriptors of this process that are sockets, by what the kernel calls them. */
export function openSockets(): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync('/proc/self/fd')) {
    try {
      const link = readlinkSync(`/proc/self/fd/${name}`);
      if (link.startsWith('socket:')) found.set(Number(name), link);
    } catch {
      // The descriptor that the folder was read with is closed again.
    }
  }
  return found;
}

/** The sockets that this process has opened since; one that was being closed then may be gone now. */
export function openedSince(before: ReadonlyMap<number, string>): string[] {
  const known = new Set(before.values());
  return [...openSockets().values()].filter((link) => !known.has(link));
}

/** A server that listens, closed with all of its connections after the test. */
export async function listening<S extends net.Server>(t: Test, server: S, where: net.ListenOptions | string): Promise<S> {
  const sockets = new Set<net.Socket>();
  server.on('connection', (socket: net.Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  t.teardown(() => {
    net.Server.prototype.close.call(server);
    for (const socket of sockets) socket.destroy();
  });
  server.listen(where);
  await once(server, 'listening');
  return server;
}

/** Linux gives clients, and servers on port 0, ports from 32768 on (net.ipv4.ip_local_port_range). */
const [FIRST_PORT, FIRST_GIVEN] = [16_384, 32_768];

/** A port that was free a moment ago, and that the kernel gives to nobody who does not ask for it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST_PORT, FIRST_GIVEN);
    const server = net.createServer().listen(port);
    try {
      await once(server, 'listening');
    } catch (error) {
      if (errnoCode(error) === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
}

/** Both ends of a connection to a server. */
export async function connected(t: Test, server: net.Server): Promise<{ client: net.Socket; accepted: net.Socket }> {
  const name = server.address();
  const accepting = once(server, 'connection') as Promise<[net.Socket]>;
  const client = typeof name === 'string' ? net.connect(name) : net.connect({ port: name!.port, host: name!.address });
  client.on('error', () => undefined);
  t.teardown(() => client.destroy());
  const [[accepted]] = await Promise.all([accepting, once(client, 'connect')]);
  return { client, accepted };
}
