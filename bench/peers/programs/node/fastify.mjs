import fastify from 'fastify';

const app = fastify();
app.get('/', async () => ({ hello: 'world', pid: process.pid }));
await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
process.on('SIGTERM', () => app.close());
