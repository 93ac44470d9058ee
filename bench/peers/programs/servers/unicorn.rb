# As in examples/unicorn.conf.rb of Unicorn: the first new worker ends the old master.
worker_processes 2
listen "127.0.0.1:#{ENV.fetch('PORT')}"
pid 'unicorn.pid'

before_fork do |server, _worker|
  old_pid = "#{server.config[:pid]}.oldbin"
  if File.exist?(old_pid) && server.pid != old_pid
    begin
      Process.kill(:QUIT, File.read(old_pid).to_i)
    rescue Errno::ENOENT, Errno::ESRCH
      # It has ended already.
    end
  end
end
