import t from 'tap';
import { type Carried } from '../../../lib/inherit/carried.js';
import { OldGenerations } from '../../../lib/lifetime/old-generations.js';

/** Generations that follow each other: each one asks the one before it. */
function generations(count: number, maximum: number): { readonly old: OldGenerations; readonly hurries: number[] }[] {
  const handlers: ((value: unknown) => void)[] = [];
  return Array.from({ length: count }, (_, index) => {
    const carried = {
      onAsk: (_key: string, handler: (value: unknown) => void) => (handlers[index] = handler),
      ask: (_key: string, value: unknown) => handlers[index - 1]?.(value),
    };
    const old = new OldGenerations(carried as unknown as Carried, maximum);
    const hurries: number[] = [];
    old.onHurry = (tooMany) => hurries.push(tooMany);
    return { old, hurries };
  });
}

t.test('an old generation hurries when as many are newer as may drain, and more at each restart', async (t) => {
  const all = generations(6, 2);
  for (const { old } of all) old.begin();
  t.strictSame(
    all.map(({ hurries }) => hurries),
    [[1, 2, 3], [1, 2], [1], [], [], []],
  );
});

t.test('what is no number is not passed on', async (t) => {
  const handlers: ((value: unknown) => void)[] = [];
  const asked: unknown[] = [];
  const carried = {
    onAsk: (_key: string, handler: (value: unknown) => void) => handlers.push(handler),
    ask: (_key: string, value: unknown) => asked.push(value),
  };
  new OldGenerations(carried as unknown as Carried, 1).onHurry = () => t.fail('hurries');
  for (const value of [undefined, null, -1, '5', {}]) handlers[0]!(value);
  t.strictSame(asked, []);
});
