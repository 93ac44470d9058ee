import { type Server } from 'node:net';
import { GraceError } from '../../lib/errors.js';
import { type Grace } from '../../lib/grace.js';
import { logger, warn } from '../../lib/log.js';
import { onSignals } from '../../lib/on-signals.js';
import { hasCertificateFiles, reloadCertificate } from './certificate.js';

const log = logger('reload');

/**
 * Reads the certificates of servers again. Each server is reloaded by itself, so
 * that one broken file does not affect the others.
 *
 * @returns one error for each server that failed; it keeps its old certificate.
 */
export function reloadAll(grace: Grace, servers: readonly Server[]): readonly GraceError[] {
  const failures: GraceError[] = [];
  for (const server of servers.filter(hasCertificateFiles)) {
    try {
      reloadCertificate(server);
      log('reloaded a certificate');
    } catch (error) {
      if (!(error instanceof GraceError)) throw error;
      failures.push(error);
      if (!grace.emit('reload-failed', error)) warn(`${error.message}; the server keeps its old certificate`);
    }
  }
  if (failures.length === 0) grace.emit('reloaded');
  return failures;
}

/** Reloads on the signals of the option `signals.reload`. If no certificate comes from a file, these signals are not handled. */
export function reloadOnSignal(grace: Grace, servers: readonly Server[]): void {
  if (!servers.some(hasCertificateFiles)) return;
  const remove = onSignals(grace.settings.signals.reload, () => reloadAll(grace, servers));
  grace.once('closed', remove);
}
