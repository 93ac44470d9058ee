import { createSocket } from 'node:dgram';
import { openSync } from 'node:fs';
import net from 'node:net';

/** A descriptor of some kind, to be passed to a program. */
export interface Held {
  readonly fd: number;
  close(): void;
}

const fdOf = (owner: object): number => (owner as { _handle: { fd: number } })._handle.fd;

export function holdListener(host: string): Promise<Held & { readonly port: number }> {
  return new Promise((done) => {
    const server = net.createServer().listen({ host, port: 0, backlog: 900 }, () => {
      const { port } = server.address() as net.AddressInfo;
      done({ fd: fdOf(server), port, close: () => server.close() });
    });
  });
}

export function holdPath(path: string): Promise<Held> {
  return new Promise((done) => {
    const server = net.createServer().listen(path, () => done({ fd: fdOf(server), close: () => server.close() }));
  });
}

export function holdUdp(): Promise<Held> {
  return new Promise((done) => {
    const socket = createSocket('udp4');
    socket.bind(0, '127.0.0.1', () => {
      const state = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'state symbol')!;
      const { handle } = (socket as unknown as Record<symbol, { handle: { fd: number } }>)[state]!;
      done({ fd: handle.fd, close: () => socket.close() });
    });
  });
}

export function holdConnection(): Promise<Held> {
  return new Promise((done) => {
    const server = net.createServer((socket) => {
      server.close();
      done({
        fd: fdOf(socket),
        close: () => {
          socket.destroy();
          client.destroy();
        },
      });
    });
    const client = new net.Socket();
    server.listen(0, '127.0.0.1', () => client.connect((server.address() as net.AddressInfo).port, '127.0.0.1'));
  });
}

export function holdFile(path: string): Held {
  const fd = openSync(path, 'r');
  return { fd, close: () => undefined };
}
