require 'json'

run lambda { |_env|
  body = JSON.generate(hello: 'world', pid: Process.pid)
  [200, { 'Content-Type' => 'application/json', 'Content-Length' => body.bytesize.to_s }, [body]]
}
