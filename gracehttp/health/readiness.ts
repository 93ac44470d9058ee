import { type App } from '../app.js';
import { type Checks } from './checks.js';
import { type Reply } from './reply.js';

/**
 * 200 if the process serves and all checks pass, else 503. A process that drains
 * because it handed over is ready too: its successor serves the same address, and
 * a prober on an old connection must not take the machine out of service.
 */
export async function readiness(app: App, checks: Checks): Promise<Reply> {
  const { state, reason } = app;
  const serves = state === 'serving' || (state === 'draining' && reason === 'handover');
  const { ok, results } = serves ? await checks.run() : { ok: false, results: {} };
  return { status: ok ? 200 : 503, body: { ready: ok, state, checks: results } };
}
