import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse, parseAllDocuments } from 'yaml';
import { Namespace, copyExample, skipUnlessNamespace } from '../../support/examples/namespace.js';
import { ROOT } from '../../support/sources.js';
import { waitUntil } from '../../support/wait.js';

t.setTimeout(110_000);
const skip = skipUnlessNamespace();
const read = (path: string): string => readFileSync(join(ROOT, 'examples', path), 'utf8');

/** The value of an option in the text of a program: `drainTimeout: 30_000`. */
function optionIn(program: string, name: string): number {
  const [, value] = new RegExp(`\\b${name}: ([\\d_]+)`).exec(program) ?? [];
  if (value === undefined) throw new Error(`there is no ${name}`);
  return Number(value.replaceAll('_', ''));
}

t.test('examples/docker: the configuration fits the program', async (t) => {
  const [program, dockerfile] = [read('docker/server.mjs'), read('docker/Dockerfile')];
  const { services } = parse(read('docker/compose.yaml')) as { services: { web: { ports: string[]; stop_grace_period: string } } };
  const [, exposed] = /^EXPOSE (\d+)$/m.exec(dockerfile) ?? [];
  t.match(program, `listen: ':${exposed}'`);
  t.strictSame(services.web.ports, [`${exposed}:${exposed}`]);
  t.match(services.web.stop_grace_period, /^\d+s$/);
  t.ok(parseInt(services.web.stop_grace_period, 10) * 1_000 > optionIn(program, 'drainTimeout'), 'Docker waits longer than the drain');
  const [, command = '[]'] = /^CMD (.*)$/m.exec(dockerfile) ?? [];
  const [node, file = ''] = JSON.parse(command) as string[];
  t.equal(node, 'node');
  t.ok(existsSync(join(ROOT, 'examples/docker', file)), file);
});

t.test('examples/docker: the server is PID 1, restarts inside its container, and stops', { skip }, async (t) => {
  const container = await Namespace.start(t, copyExample(t, 'docker'), process.execPath, 'server.mjs');
  const ask = async (): Promise<string> => (await container.get('http://127.0.0.1:8080/')).body;
  await waitUntil(
    'PID 1 to answer',
    async () => (await ask()) === 'hello from process 1\n',
    () => container.stderr,
  );
  process.kill(container.pid, 'SIGUSR2');
  await waitUntil(
    'another process to answer',
    async () => /^hello from process (?!1\n)\d+\n$/.test(await ask()),
    () => container.stderr,
  );
  t.ok(container.running, 'PID 1 stays');
  process.kill(container.pid, 'SIGTERM');
  t.equal(await container.exited, 0, container.stderr);
});

interface Probe {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly periodSeconds: number;
  readonly failureThreshold: number;
}
interface Container {
  readonly command: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly startupProbe: Probe;
  readonly readinessProbe: Probe;
  readonly livenessProbe: Probe;
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
}
interface Manifest {
  readonly kind: string;
  readonly spec: { readonly template?: { readonly spec: PodSpec }; readonly ports?: readonly { readonly targetPort: string }[] };
}

function manifests(text: string): readonly [deployment: PodSpec, service: Manifest] {
  const documents = parseAllDocuments(text).map((document) => document.toJS() as Manifest);
  const [deployment, service] = ['Deployment', 'Service'].map((kind) => documents.find((document) => document.kind === kind)!);
  return [deployment!.spec.template!.spec, service!];
}

t.test('examples/kubernetes: the manifest fits the program', async (t) => {
  const program = read('kubernetes/server.mjs');
  const [pod, service] = manifests(read('kubernetes/web.yaml'));
  const [container] = pod.containers;
  t.ok(existsSync(join(ROOT, 'examples/kubernetes', container!.command[1]!)));
  const [drainDelay, drainTimeout] = [optionIn(program, 'drainDelay'), optionIn(program, 'drainTimeout')];
  t.ok(drainDelay < drainTimeout);
  t.ok(pod.terminationGracePeriodSeconds * 1_000 > drainTimeout, 'Kubernetes waits longer than the drain');
  const { periodSeconds, failureThreshold } = container!.readinessProbe;
  t.ok(drainDelay > periodSeconds * failureThreshold * 1_000, 'the delay is longer than the probes need to notice');
  const names = container!.ports.map(({ name }) => name);
  for (const { targetPort } of service.spec.ports!) t.ok(names.includes(targetPort), targetPort);
  const page = /```yaml\n([^]*?)```/.exec(readFileSync(join(ROOT, 'docs/containers.md'), 'utf8'))![1]!;
  t.strictSame(manifests(page)[0].terminationGracePeriodSeconds, pod.terminationGracePeriodSeconds, 'docs/containers.md has the same');
});

t.test('examples/kubernetes: its probes, and what SIGTERM does', { skip }, async (t) => {
  const [pod] = manifests(read('kubernetes/web.yaml'));
  const [container] = pod.containers;
  const portOf = (name: string): number => container!.ports.find((port) => port.name === name)!.containerPort;
  const running = await Namespace.start(t, copyExample(t, 'kubernetes'), process.execPath, ...container!.command.slice(1));
  const probe = async (kind: 'startupProbe' | 'readinessProbe' | 'livenessProbe'): Promise<number> => {
    const { path, port } = container![kind].httpGet;
    return (await running.get(`http://127.0.0.1:${portOf(port)}${path}`)).status;
  };
  await waitUntil(
    'the startup probe',
    async () => (await probe('startupProbe')) === 200,
    () => running.stderr,
  );
  t.equal(await probe('readinessProbe'), 200);
  t.equal(await probe('livenessProbe'), 200);
  process.kill(running.pid, 'SIGTERM');
  const paths = [container!.readinessProbe, container!.livenessProbe].map(({ httpGet: { path, port } }) => `${portOf(port)}${path}`);
  // In one program, as the delay ends while others start.
  const script = `
    const [ready, live, page] = ${JSON.stringify([...paths, `${portOf('http')}/`])}.map((rest) => 'http://127.0.0.1:' + rest);
    const status = async (url) => (await fetch(url)).status;
    while ((await status(ready)) !== 503);
    console.log(await status(live), await status(page));`;
  const after = await running.run('/', process.execPath, '--input-type=module', '-e', script);
  t.equal(after, '200 200\n', 'when it is no longer ready, it is alive, and still serves');
});
