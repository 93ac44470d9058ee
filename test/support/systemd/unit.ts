import { mkdirSync, readFileSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Answer, get } from '../http/client.js';
import { type Announcement } from '../program.js';
import { INSIDE, type Systemd } from './systemd.js';
import { waitUntil } from '../wait.js';

const UNITS = fileURLToPath(new URL('../../../../demo/systemd/', import.meta.url));
const ROOT = '/run/app';
const UNIX_SOCKET = `${ROOT}/web.sock`;

export interface UnitOptions {
  readonly program: string;
  readonly argument?: object;
  /** More lines for [Service] and [Socket]. */
  readonly service?: readonly string[];
  readonly socket?: readonly string[];
}

/** The demo's units in a systemd of the test's own, with another program and the user nobody. */
export class Unit {
  static readonly port = 8080;
  readonly service = 'grace-demo.service';
  readonly socket = 'grace-demo.socket';
  readonly #systemd: Systemd;
  #releases = 0;

  private constructor(systemd: Systemd) {
    this.#systemd = systemd;
  }

  /** Installs the units and starts the socket. */
  static async install(systemd: Systemd, { program, argument = {}, service = [], socket = [] }: UnitOptions): Promise<Unit> {
    const unit = new Unit(systemd);
    unit.release(program);
    for (const name of [unit.socket, unit.service]) {
      systemd.write(`/run/systemd/system/${name}`, readFileSync(UNITS + name, 'utf8'));
    }
    const sockets = [`127.0.0.1:${Unit.port}`, UNIX_SOCKET].map((address) => `ListenStream=${address}`);
    unit.#dropIn(unit.socket, '[Socket]', 'ListenStream=', ...sockets, ...socket);
    unit.#dropIn(
      unit.service,
      '[Service]',
      'DynamicUser=no',
      'User=nobody',
      `WorkingDirectory=${ROOT}/current`,
      `Environment=PWD=${ROOT}/current`,
      'ExecStart=',
      `ExecStart=${INSIDE.node} server.js '${JSON.stringify(argument)}'`,
      `StandardOutput=append:${ROOT}/stdout`,
      `StandardError=append:${ROOT}/stderr`,
      ...service,
    );
    await systemd.systemctl('daemon-reload');
    await systemd.systemctl('start', unit.socket);
    return unit;
  }

  /** Points the symbolic link `current` at a new release with this program. */
  release(program: string): void {
    this.#releases += 1;
    const name = `releases/${this.#releases}`;
    this.#systemd.write(`${ROOT}/${name}/server.js`, program);
    this.#systemd.write(`${ROOT}/${name}/package.json`, '{ "type": "module" }');
    const draft = this.#systemd.path(`${ROOT}/draft`);
    symlinkSync(name, draft);
    renameSync(draft, this.#systemd.path(`${ROOT}/current`));
  }

  /** Creates a file that a program can wait for. */
  touch(name: string): void {
    mkdirSync(this.#systemd.path(ROOT), { recursive: true });
    this.#systemd.write(`${ROOT}/${name}`, '');
  }

  /** Removes `current`, so that there is nothing to start. */
  removeCurrent(): void {
    unlinkSync(this.#systemd.path(`${ROOT}/current`));
  }

  /** The path outside of the service's unix socket. */
  get socketPath(): string {
    return this.#systemd.path(UNIX_SOCKET);
  }

  systemctl(command: string, ...args: string[]): Promise<string> {
    return this.#systemd.systemctl(command, ...args, this.service);
  }

  show(property: string): Promise<string> {
    return this.#systemd.show(this.service, property);
  }

  async mainPid(): Promise<number> {
    return Number(await this.show('MainPID'));
  }

  async waitFor(property: string, value: string | RegExp): Promise<string> {
    let seen = '';
    await waitUntil(
      `${property} ${value}`,
      async () => {
        seen = await this.show(property);
        return typeof value === 'string' ? seen === value : value.test(seen);
      },
      () => `${property} is ${seen}\n${this.report()}`,
    );
    return seen;
  }

  /** The announcements of one event. */
  all(event: string): readonly Announcement[] {
    const lines = this.#systemd
      .read(`${ROOT}/stdout`)
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as Announcement).filter((announcement) => announcement.event === event);
  }

  async announced(event: string, nth = 1): Promise<Announcement> {
    await waitUntil(
      `${event} number ${nth}`,
      () => this.all(event).length >= nth,
      () => this.report(),
    );
    return this.all(event)[nth - 1]!;
  }

  /** Asks the server over its unix socket, which can be reached from outside; a new connection each time. */
  get(path: string): Promise<Answer> {
    return get({ socketPath: this.socketPath }, path);
  }

  report(): string {
    return `stdout:\n${this.#systemd.read(`${ROOT}/stdout`)}\nstderr:\n${this.#systemd.read(`${ROOT}/stderr`)}`;
  }

  #dropIn(unit: string, ...lines: string[]): void {
    const text = ['[Unit]', 'DefaultDependencies=no', ...lines, ''].join('\n');
    this.#systemd.write(`/run/systemd/system/${unit}.d/test.conf`, text);
  }
}
