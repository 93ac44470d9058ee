import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Test } from 'tap';
import { skipUnless, skipUnlessFound, skipUnlessRuns } from '../skip.js';
import { waitUntil } from '../wait.js';

const SYSTEMD = '/lib/systemd/systemd';
const TARGET = 'test.target';
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url));

/** The paths of the repository and of the running Node.js inside; a user who may not enter a home directory can read them too. */
export const INSIDE = { repository: '/run/app/repository', node: '/run/app/node' } as const;

/**
 * Stays outside and reads from the test. When the test ends, in whatever way, it kills
 * everything inside and removes the control groups. It ignores signals to the test's
 * process group. Its mounts are its own.
 */
const KEEPER = `
set -eu
trap '' HUP INT TERM
umount --recursive --lazy /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
parent=/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)
export GROUP="\${parent%/}/grace-test-$$"
mkdir "$GROUP"
sh -c 'echo $$ > "$GROUP/cgroup.procs"; exec setpriv --pdeathsig KILL unshare --mount --pid --ipc --uts --net --cgroup --fork --mount-proc --kill-child=KILL sh -c "$INIT"' &
echo $!
read -r _ || true
kill -KILL $! 2>/dev/null || true
wait $! 2>/dev/null || true
for attempt in $(seq 100); do
  find "$GROUP" -depth -type d -exec rmdir {} + 2>/dev/null && break
  sleep 0.05
done
`;

/**
 * Becomes systemd, in a file system in which only /tmp, /run, /dev and its own control
 * groups can be written: otherwise its tmpfiles would empty the machine's /tmp, and it
 * would set the kernel's limits in /proc/sys. The new /run is built at /mnt, as the
 * repository may be below a folder that it hides.
 */
const INIT = `
set -eu
cut -d ' ' -f 5 /proc/self/mountinfo | sort -u | while read -r point; do
  case $point in /sys/fs/cgroup*) continue;; esac
  mount -o remount,bind,ro "$point"
done
mount -t tmpfs -o mode=755 none /mnt
mkdir -p /mnt/app/repository /mnt/dev /mnt/systemd/system
mount --bind "$REPOSITORY" /mnt/app/repository
: > /mnt/app/node
mount --bind "$NODE" /mnt/app/node
mount -t tmpfs -o mode=755 none /mnt/dev
for node in null zero full random urandom tty; do
  : > /mnt/dev/$node
  mount --bind /dev/$node /mnt/dev/$node
  mount -o remount,bind,rw /mnt/dev/$node
done
mkdir /mnt/dev/pts /mnt/dev/shm
mount -t devpts -o ptmxmode=666 none /mnt/dev/pts
mount -t tmpfs none /mnt/dev/shm
ln -s pts/ptmx /mnt/dev/ptmx
mount --no-mtab --move /mnt/dev /dev
mount --no-mtab --move /mnt /run
mount -t tmpfs none /tmp
mount -t tmpfs none /var/tmp
mount -o remount,bind,rw /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
umount /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
printf '[Unit]\\nDefaultDependencies=no\\n' > /run/systemd/system/${TARGET}
exec env -i PATH="$PATH" container=test ${SYSTEMD} --system --unit=${TARGET}
`;

/** For a test's `skip`: it needs Linux, root, systemd, and a namespace with control groups. */
export function skipUnlessSystemd(): string | false {
  const probe = 'umount --recursive --lazy /sys/fs/cgroup && mount -t cgroup2 none /sys/fs/cgroup';
  const namespace = ['--mount', '--pid', '--net', '--cgroup', '--fork', 'sh', '-c', probe];
  return (
    skipUnless(() => process.getuid?.() === 0, 'only root can start a systemd in a namespace') ||
    skipUnless(() => existsSync(SYSTEMD), `${SYSTEMD} is not installed`) ||
    skipUnlessFound('unshare', 'nsenter', 'setpriv', 'mount', 'sed', 'find', 'ss') ||
    skipUnlessRuns('unshare', ...namespace)
  );
}

/** A systemd as process 1 of a namespace: it has processes, network, control groups and all files that it writes to itself. */
export class Systemd {
  /** Its pid outside. */
  readonly pid: number;

  private constructor(pid: number) {
    this.pid = pid;
  }

  static async start(t: Test): Promise<Systemd> {
    const keeper = spawn('unshare', ['--mount', 'sh', '-c', KEEPER], {
      env: { PATH: process.env['PATH'], INIT, REPOSITORY, NODE: process.execPath },
      stdio: ['pipe', 'pipe', 'pipe'],
      detached: true,
    });
    let report = '';
    let intermediate: number | undefined;
    createInterface({ input: keeper.stdout }).on('line', (line) => {
      intermediate ??= Number(line);
    });
    keeper.stderr.setEncoding('utf8').on('data', (text: string) => {
      report += text;
    });
    t.teardown(async () => {
      keeper.stdin.end();
      if (keeper.exitCode === null) await once(keeper, 'exit');
    });
    let pid = 0;
    await waitUntil(
      'systemd to start',
      () => {
        if (intermediate !== undefined) pid = readChild(intermediate);
        return pid > 0 && readText(`/proc/${pid}/comm`) === 'systemd\n';
      },
      () => report,
    );
    const systemd = new Systemd(pid);
    await waitUntil(
      'systemd to run',
      async () => (await systemd.show(TARGET, 'ActiveState')) === 'active',
      () => report,
    );
    return systemd;
  }

  /** The path outside of a file inside. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  read(inside: string): string {
    return readText(this.path(inside));
  }

  write(inside: string, text: string): void {
    mkdirSync(dirname(this.path(inside)), { recursive: true });
    writeFileSync(this.path(inside), text);
  }

  /** Put before a command, it runs inside, without the test runner's variables: the files that they name may be missing there. */
  get enter(): readonly string[] {
    const clean = ['env', '-i', `PATH=${process.env['PATH'] ?? ''}`];
    return ['nsenter', '-t', String(this.pid), '-m', '-p', '-i', '-n', '-C', ...clean];
  }

  /** Runs a command inside; fails with what it wrote. */
  async run(...command: string[]): Promise<string> {
    const [file = '', ...args] = [...this.enter, ...command];
    const { stdout } = await promisify(execFile)(file, args);
    return stdout;
  }

  systemctl(...args: string[]): Promise<string> {
    return this.run('systemctl', '--no-pager', ...args);
  }

  /** One property of a unit; empty if systemd does not answer yet. */
  async show(unit: string, property: string): Promise<string> {
    try {
      return (await this.systemctl('show', '--value', '-p', property, unit)).trim();
    } catch {
      return '';
    }
  }
}

/** The child of a process; 0 if it has no child, or has ended. */
function readChild(pid: number): number {
  return Number(readText(`/proc/${pid}/task/${pid}/children`).trim());
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
