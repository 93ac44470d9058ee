// Standalone output is only for one of the three ways to run it.
export default { output: process.env.NEXT_OUTPUT, turbopack: { root: import.meta.dirname }, outputFileTracingRoot: import.meta.dirname };
