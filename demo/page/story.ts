import { type Process, type Processes } from './processes.js';

/** What happens now, in a sentence. */
export interface Story {
  readonly text: string;
  readonly bad: boolean;
}

/** How long the end of a failed release is told. */
const TOLD_FOR_MS = 8_000;

/** @param reached - whether the page has a WebSocket to the server. */
export function tell(processes: Processes, reached: boolean): Story {
  const { serving, starting, draining, failure } = processes;
  if (!reached) {
    return { text: 'No process answers. If the server was stopped, start it again: npm run demo. This page goes on by itself.', bad: true };
  }
  if (serving === undefined) return { text: 'The server is stopping.', bad: true };
  if (starting !== undefined) return good(`A new release starts. Process ${serving.pid} serves meanwhile.`);
  if (failure !== undefined && isNews(failure, serving)) return good(tellFailure(failure, serving));
  const [old] = draining;
  if (old !== undefined) return good(`Process ${serving.pid} serves. Process ${old.pid} finishes the requests that it has.`);
  return good(`Process ${serving.pid} serves.`);
}

/** False if a better release has begun to serve since then. */
function isNews({ until = 0, generation }: Process, { serving = 0, ...now }: Process): boolean {
  return generation > now.generation && until > serving && performance.now() - until < TOLD_FOR_MS;
}

function tellFailure(failed: Process, serving: Process): string {
  if (failed.serving === undefined) return `The new release could not start, so process ${serving.pid} serves on.`;
  return `The new release died, so process ${serving.pid} serves again.`;
}

function good(text: string): Story {
  return { text, bad: false };
}
