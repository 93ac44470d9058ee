import fc from 'fast-check';

const LONGEST_PUT = 3;

/** Any text: also control characters, and halves of surrogate pairs. */
export const anyText = fc.string({ unit: fc.nat({ max: 0xffff }).map((code) => String.fromCharCode(code)) });

/** What a program in JavaScript may pass by mistake. */
export const anything = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withNullPrototype: true, withObjectString: true, withSparseArray: true }),
  fc.constantFrom<unknown>(Symbol('text'), () => 'text', -0, NaN, Infinity, 2 ** 31, 2 ** 53, '5', '5s', ''),
);

/** Objects as a program writes them. */
export const object: typeof fc.record = (model: object, constraints?: object) =>
  fc.record(model, { noNullPrototype: true, ...constraints }) as never;

/** What comes out of JSON.parse(). */
export const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
export const record = fc.dictionary(fc.string(), json).map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

/** A whole number as JSON holds it: a pid, a descriptor. */
export const count = fc.maxSafeNat();

/** Texts that are nearly right: some characters of a right one are left out or replaced. */
export function nearly(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const put = fc.oneof(
    fc.string({ maxLength: LONGEST_PUT }),
    anyText.map((text) => text.slice(0, LONGEST_PUT)),
  );
  return fc.tuple(right, fc.nat(), fc.nat({ max: LONGEST_PUT }), put).map(([text, at, left, added]) => {
    const from = at % (text.length + 1);
    return text.slice(0, from) + added + text.slice(from + left);
  });
}

/** Right texts, nearly right ones, and any other. */
export function textsLike(right: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc.oneof(right, nearly(right), anyText);
}
