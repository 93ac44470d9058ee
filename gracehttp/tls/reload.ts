import { type Server } from 'node:net';
import { GraceError } from '../../lib/errors.js';
import { type Grace } from '../../lib/grace.js';
import { logger, warn } from '../../lib/log.js';
import { onSignals } from '../../lib/on-signals.js';
import { hasCertificateFiles, reloadCertificate } from './certificate.js';

const log = logger('reload');

/**
 * Reads the certificates of servers again; each server by itself, so that one
 * file that is broken does not keep the others from theirs.
 *
 * @returns what failed; those servers go on with the certificate that they have.
 */
export function reloadAll(grace: Grace, servers: readonly Server[]): readonly GraceError[] {
  const failures: GraceError[] = [];
  for (const server of servers.filter(hasCertificateFiles)) {
    try {
      reloadCertificate(server);
      log('read a certificate again');
    } catch (error) {
      if (!(error instanceof GraceError)) throw error;
      failures.push(error);
      if (!grace.emit('reload-failed', error)) warn(`${error.message}; the old one stays`);
    }
  }
  if (failures.length === 0) grace.emit('reloaded');
  return failures;
}

/** Reloads at the signals of the option `signals.reload`; without certificates in files these are left alone. */
export function reloadOnSignal(grace: Grace, servers: readonly Server[]): void {
  if (!servers.some(hasCertificateFiles)) return;
  const remove = onSignals(grace.settings.signals.reload, () => reloadAll(grace, servers));
  grace.once('closed', remove);
}
