# docs/restart.md of Puma: a phased restart needs cluster mode without preload_app!.
workers 2
threads 8, 8
bind "tcp://127.0.0.1:#{ENV.fetch('PORT')}"
