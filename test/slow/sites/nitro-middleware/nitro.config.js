export default { preset: 'node-middleware' };
