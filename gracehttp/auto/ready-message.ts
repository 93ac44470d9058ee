/** PM2's way (`wait_ready`) to say that a program is ready. */
const READY = 'ready';

type Send = (message: unknown, ...rest: unknown[]) => boolean;

/** Calls the handler at `process.send('ready')`, whether or not another process listens. */
export function onReadyMessage(handler: () => void): void {
  const program = process as { send?: Send };
  const { send } = program;
  program.send = (message, ...rest) => {
    if (message === READY) handler();
    return send === undefined ? true : Reflect.apply(send, process, [message, ...rest]);
  };
}
