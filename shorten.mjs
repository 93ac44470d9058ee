import { transformSync } from 'esbuild';

const COMMENT = /\n\/\/# sourceMappingURL=.*\n$/;
/** Stands for `import.meta`, which a script does not have. */
const META = 'import_meta_of_the_module';

/**
 * Gives short names to what is inside of functions. esbuild does so with all names of
 * a module, but in a script it keeps those at the top, which are in stack traces. So
 * the code is made a script, and a module again.
 *
 * @param map - the source map of the code.
 * @returns both, anew.
 */
export function shortenLocals(code, map, options) {
  const statements = [];
  const script = code
    .replace(COMMENT, '\n')
    .replaceAll('import.meta', META)
    .replace(/(?<=^|[;}])(?:import[^;()]*?"[^"]*"|export\s*\{[^}]*\});/gm, (statement) => {
      // On a line of its own, as tools look for it there to know an ES module.
      statements.push(statement.replaceAll('\n', ''));
      return statement.replace(/[^\n]/g, '');
    });
  const before = `//# sourceMappingURL=data:application/json;base64,${Buffer.from(map).toString('base64')}\n`;
  const short = transformSync(script + before, { ...options, minify: true, sourcemap: 'external', sourcesContent: false });
  const lines = statements.map((statement) => `${statement}\n`);
  return { code: short.code.replaceAll(META, 'import.meta') + lines.join(''), map: short.map };
}
