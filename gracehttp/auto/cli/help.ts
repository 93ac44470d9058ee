export const HELP = `Usage: ts-grace program.js [arguments]
       ts-grace check [program.js [arguments]]

Runs a Node.js program so that it restarts, upgrades and stops without losing a request.
SIGUSR2 starts the new version, which takes over the open ports. SIGTERM and SIGINT drain and exit.
It is the same as node --import ts-grace/auto program.js, where options of Node.js can be added.
A name without a slash that is not a file is looked up in node_modules/.bin: ts-grace next start

  check        says which options are set, what watches this process, whether a restart is possible;
               and, with a program, which addresses it would hand over. For that it starts the
               program, on other ports, and ends it when it has listened. Exit code 1: a restart is not possible
  --help, --version

Options are variables, or the key "grace" of package.json ({ "grace": { "drainTimeout": 10000 } }):

  GRACE_DRAIN_TIMEOUT=30000    ms from the stop signal to the exit
  GRACE_IDLE_TIMEOUT=5000      ms for which a draining process keeps a connection without a request
  GRACE_DRAIN_DELAY=0          ms to go on accepting after SIGTERM
  GRACE_RESTART_TIMEOUT=60000  ms that a new process may take to be ready
  GRACE_PID_FILE=path          a file with the pid of the process that serves
  GRACE_FOLLOW=auto            true or false: whether the first process stays after a restart
  GRACE_MOVE_CONNECTIONS=true  false: a restart closes idle connections
  GRACE_LISTEN=:8080,:8443     hand over only these addresses
  GRACE_READY=auto             manual: the program says by process.send('ready') that it is ready
  and all others of App that are not functions: GRACE_SIGNALS, GRACE_FORCE_EXIT, GRACE_LOG, GRACE_ENV, GRACE_COMMAND
`;
