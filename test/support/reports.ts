import { type Test } from 'tap';
import { reportTo } from '../../lib/log.js';

/** The messages for the operator, from now until the end of the test. */
export function recordReports(t: Test): readonly string[] {
  const messages: string[] = [];
  t.teardown(reportTo((message) => messages.push(message)));
  return messages;
}
