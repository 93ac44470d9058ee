module.exports = {
  apps: [
    {
      name: 'web',
      script: 'server.mjs',
      // Not 'cluster': its workers have no sockets of their own that they could hand over.
      exec_mode: 'fork',
      // ms from SIGINT to SIGKILL: more than drainTimeout of the program. The default is 1 600.
      kill_timeout: 40_000,
    },
  ],
};
