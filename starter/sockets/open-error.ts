import { type BindableAddress } from '../../lib/address/address.js';
import { GraceError } from '../../lib/errors.js';
import { bindError } from '../../lib/socket/bind.js';
import { orphansHint } from './orphans.js';

/** The option that asks for a socket, and how Server::Starter begins the message if it cannot be opened. */
const ATTEMPTS = { port: 'failed to bind to', path: 'failed to listen to file' } as const;

/** A `--port` or `--path` that could not be opened. */
export function openError(option: keyof typeof ATTEMPTS, label: string, address: BindableAddress, cause: unknown): GraceError {
  const { code, message } = bindError(address, cause);
  const reason = message.replace(/^.*?: /, '');
  const hint = code === 'ADDRESS_IN_USE' ? orphansHint(address) : '';
  return new GraceError(code, `${ATTEMPTS[option]} ${label}: ${reason}${hint}`, { subject: option, value: label, cause });
}
