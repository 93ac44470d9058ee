import { App, createServer, health } from 'ts-grace/gracehttp';

const app = new App({
  drainDelay: 10_000, // until every node has heard that this pod is no longer ready
  drainTimeout: 40_000, // less than terminationGracePeriodSeconds
});
await app.serve(
  { handler: (_request, response) => response.end(`hello from ${process.env.HOSTNAME}\n`), listen: ':8080', name: 'public' },
  // Probes come from outside of the pod, so this is not a loopback address. Do not enable control here.
  createServer(':9000', health(app)),
);
