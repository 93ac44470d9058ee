export const HELP = `Usage: start_server [options] -- program [arguments]

Binds ports and paths, runs the program on them, and replaces it without closing them.
SIGHUP replaces the workers by new ones; SIGTERM and SIGINT stop everything; SIGUSR2 replaces start_server itself.

  --port=[host:][u]port[=fd]    TCP port, or UDP port with u; fd is the descriptor in the workers; repeatable
  --path=path                   unix socket; repeatable
  --backlog=n                   how many connections the kernel queues (its maximum)
  --dir=path                    working directory of the program
  --envdir=path                 folder with one file for each environment variable, read at each start
  --interval=seconds            a worker that does not say it is ready counts as up after this;
                                a worker that does has to live for this time before the old one goes;
                                also the first delay after a failed start (1)
  --ready-timeout=seconds       a worker must say that it is ready within this time
  --start-timeout=seconds       a worker that uses ts-grace may take this time to start (60; 0: no limit)
  --kill-timeout=seconds        a worker that was told to exit gets SIGKILL after this time (never)
  --listen-fds                  also set LISTEN_FDS, LISTEN_PID and LISTEN_FDNAMES, as systemd does
  --non-blocking                accept(2) on the sockets does not wait, as nginx expects
  --workers=n|auto              number of processes (1); auto: one for each processor
  --signal-on-hup=SIGNAL        to old workers when new ones are up (TERM)
  --signal-on-term=SIGNAL       to the workers on SIGTERM (TERM)
  --kill-old-delay=seconds      delay before old workers get their signal (0; 5 with auto restart)
  --enable-auto-restart         restart at each interval
  --auto-restart-interval=seconds   (360)
  --pid-file=file               contains the pid of start_server
  --status-file=file            contains generation:pid of each worker
  --log-file=file               for stdout and stderr; or --log-file="| command"
  --daemonize                   run in the background; needs --log-file

  --restart [--restart-timeout=seconds]   replace the workers, and wait until the old ones have exited (600)
  --stop                        stop start_server, and wait until it has exited
  --upgrade                     replace start_server by the version that is installed now; the workers go on
  --status [--watch]            show the workers; --watch: again at each change
                                these need --pid-file, and all but --stop also --status-file
                                --json: the result of --restart, --upgrade and --status as JSON
  --help, --version
`;
