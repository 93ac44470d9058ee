import { invalid } from './numbers.js';

/** Variables for a successor; undefined removes one. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws GraceError `OPTION_INVALID` */
export function environment(subject: string, value: unknown): Environment {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid(subject, value, 'an object');
  for (const [name, text] of Object.entries(value)) {
    if (name === '' || /[=\0]/.test(name)) throw invalid(subject, name, 'names of variables');
    const fits = text === undefined || (typeof text === 'string' && !text.includes('\0'));
    if (!fits) throw invalid(`${subject}.${name}`, text, 'a string without NUL, or undefined');
  }
  return value as Environment;
}
