export const HELP = `Usage: start_server [options] -- program [arguments]

Binds ports and paths, runs the program on them, and replaces it without closing them.
SIGHUP starts new workers in place of the old ones; SIGTERM and SIGINT end everything.

  --port=[host:][u]port[=fd]    TCP port, or with u UDP; at this descriptor; repeatable
  --path=path                   unix socket; repeatable
  --backlog=n                   length of the kernel's queue (the most it allows)
  --dir=path                    working directory of the program
  --envdir=path                 folder with a variable a file, read at each start
  --interval=seconds            a worker that says nothing is up after this; between tries (1)
  --ready-timeout=seconds       a worker has to say that it is ready, within this
  --workers=n                   so many processes (1)
  --signal-on-hup=SIGNAL        for old workers when new ones are up (TERM)
  --signal-on-term=SIGNAL       for the workers on SIGTERM (TERM)
  --kill-old-delay=seconds      before the old workers get their signal (0; 5 with auto restart)
  --enable-auto-restart         restart by time
  --auto-restart-interval=seconds   (360)
  --pid-file=file               holds the pid of start_server
  --status-file=file            holds generation:pid of each worker
  --log-file=file               for stdout and stderr; or --log-file="| command"
  --daemonize                   in the background; needs --log-file

  --restart [--restart-timeout=seconds]   new workers, and wait until the old ones are gone (600)
  --stop                        end it, and wait until it is gone
  --status [--json]             show the workers
                                these need --pid-file; --restart and --status also --status-file
  --help, --version
`;
