import { mkdirSync, renameSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { portOf } from '../support/address.js';
import { KeepAliveClient, type Manner } from '../support/http/keep-alive-client.js';
import { fixture, start } from '../support/program.js';
import { scratch } from '../support/scratch.js';
import { skipUnless } from '../support/skip.js';
import { waitUntil } from '../support/wait.js';
import { packagesFolder } from './support/packages.js';

t.setTimeout(600_000);

const MAJORS = ['26', '20', '24', '22', '20'];
const CLIENTS_OF_A_KIND = 10;
const MANNERS: readonly Manner[] = ['busy', 'idle', 'pipelined', 'split'];

/** Node.js of a major version, as npm has it for this platform; undefined if it cannot be installed here. */
function nodeOf(major: string): string | undefined {
  const name = `node-${process.platform}-${process.arch}`;
  const folder = packagesFolder([`${name}@${major}`]);
  return folder === undefined ? undefined : join(folder, 'node_modules', name, 'bin/node');
}

const paths = new Map(MAJORS.map((major) => [major, nodeOf(major)]));
const skip = skipUnless(() => ![...paths.values()].includes(undefined), 'other versions of Node.js cannot be installed from npm');

t.test(
  'restarts lead a service from one version of Node.js to another: nothing is lost, and connections move along',
  { skip },
  async (t) => {
    const folder = scratch(t);
    const node = join(folder, 'bin/node');
    mkdirSync(join(folder, 'bin'));
    const swap = (path: string): void => {
      symlinkSync(path, `${node}.next`);
      renameSync(`${node}.next`, node);
    };
    swap(process.execPath);
    const argument = JSON.stringify({ http: ['127.0.0.1:0'] });
    const program = start(t, fixture('server'), { shell: `exec ${node} "$PROGRAM" '${argument}'` });
    const port = portOf(await program.announced('ready'));
    const clients = MANNERS.flatMap((manner) => Array.from({ length: CLIENTS_OF_A_KIND }, () => new KeepAliveClient(port, manner)));

    for (const [index, major] of MAJORS.entries()) {
      const old = program.serving;
      swap(paths.get(major)!);
      process.kill(old, 'SIGUSR2');
      const { version } = await program.announced('ready', index + 2);
      t.match(version, new RegExp(`^v${major}\\.`));
      await program.announced('closed', index + 1);
      await waitUntil(
        `Node.js ${major} to answer every client`,
        () => clients.every(({ pids }) => pids.has(String(program.serving))),
        () => program.report(),
      );
    }

    await Promise.all(clients.map((client) => client.stop()));
    t.strictSame(
      clients.flatMap(({ complaints }) => complaints),
      [],
    );
    const answered = clients.reduce((sum, client) => sum + client.answered, 0);
    t.ok(answered > clients.length * MAJORS.length, `${answered} requests on ${clients.length} connections that stayed open`);
    process.kill(program.serving, 'SIGTERM');
    await program.ended();
    t.strictSame(
      program.all('closed').map(({ code }) => code),
      MAJORS.map(() => 0).concat(0),
    );
  },
);
