import { serve } from 'ts-grace/gracehttp';

await serve({
  handler: (_request, response) => response.end(`hello from process ${process.pid}\n`),
  // Behind the bar: the address for your own machine, where systemd passes no socket.
  listen: 'systemd:web|127.0.0.1:8080',
});
