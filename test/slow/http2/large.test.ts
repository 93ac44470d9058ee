import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import http2 from 'node:http2';
import t from 'tap';
import { portOf } from '../../support/address.js';
import { makeCertificate } from '../../support/certificate.js';
import { fixture, start } from '../../support/program.js';
import { scratch } from '../../support/scratch.js';

t.setTimeout(300_000);

const BYTES = 100 * 1024 * 1024;
const PIECE = randomBytes(256 * 1024);
const PIECES = BYTES / PIECE.length;
/** The restart comes here, and the client goes on when it is over. */
const PAUSE_AT = PIECES / 4;

for (const protocol of ['h2', 'h2c', 'h2+http1']) {
  t.test(`100 MB up and down during a restart: ${protocol}`, async (t) => {
    const { keyFile, certFile, cert } = await makeCertificate(scratch(t));
    const argument = { serve: [protocol], key: keyFile, cert: certFile };
    const program = start(t, fixture('protocols'), { args: [JSON.stringify(argument)] });
    const port = portOf(await program.announced('ready'));
    const session =
      protocol === 'h2c'
        ? http2.connect(`http://127.0.0.1:${port}`)
        : http2.connect(`https://127.0.0.1:${port}`, { ca: cert, servername: 'localhost' });
    t.teardown(() => session.destroy());
    const told = once(session, 'goaway');
    const stream = session.request({ ':path': '/echo', ':method': 'POST' });
    const [sent, received] = [createHash('sha256'), createHash('sha256')];
    let bytes = 0;
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      received.update(chunk);
    });
    const ended = once(stream, 'end');
    for (let piece = 0; piece < PIECES; piece += 1) {
      if (piece === PAUSE_AT) {
        process.kill(program.pid, 'SIGUSR2');
        await program.announced('draining');
        await told;
        t.equal(program.all('closed').length, 0, 'the old process goes on with the stream');
      }
      sent.update(PIECE);
      if (!stream.write(PIECE)) await once(stream, 'drain');
    }
    stream.end();
    await ended;
    t.equal(bytes, BYTES);
    t.equal(received.digest('hex'), sent.digest('hex'));
    t.match(await program.announced('closed'), { pid: program.pid, code: 0, cutOff: [] });
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
  });
}
