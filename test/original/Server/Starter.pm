package Server::Starter;

# Stands before the original of Perl in the search path: its tests call start_server() and so on, which here run the
# command in the variable START_SERVER. All else is the original's.

use strict;
use warnings;

my $original;
BEGIN {
    ($original) = grep { -e $_ && $_ ne __FILE__ } map { "$_/Server/Starter.pm" } @INC;
    die "libserver-starter-perl is not installed\n" unless defined $original;
    package Server::Starter::Original;
    require $original;
}

sub _command {
    my ($opts, $action) = @_;
    my @args = split ' ', $ENV{START_SERVER};
    for my $name (qw(port path dir interval pid_file status_file envdir log_file backlog kill_old_delay auto_restart_interval
        signal_on_hup signal_on_term)) {
        # The original's stop_server() ignores what it does not need.
        next if !defined $opts->{$name} || (defined $action && $name !~ /_file$/);
        (my $option = $name) =~ tr/_/-/;
        push @args, map { "--$option=$_" } ref $opts->{$name} ? @{ $opts->{$name} } : $opts->{$name};
    }
    push @args, '--enable-auto-restart' if $opts->{enable_auto_restart};
    # Only the original's command asks for a log file, not its function.
    push @args, '--daemonize', $opts->{log_file} ? () : '--log-file=/dev/null' if $opts->{daemonize};
    return @args, defined $action ? $action : ('--', @{ $opts->{exec} });
}

no warnings 'redefine';

*start_server = sub {
    my $opts = {@_ == 1 ? %{ $_[0] } : @_};
    my @command = _command($opts);
    exec @command or die "failed to exec $command[0]: $!";
};

*stop_server = sub {
    my $opts = {@_ == 1 ? %{ $_[0] } : @_};
    system(_command($opts, '--stop')) == 0 or die "--stop failed\n";
};

*restart_server = sub {
    my $opts = {@_ == 1 ? %{ $_[0] } : @_};
    system(_command($opts, '--restart')) == 0 or die "--restart failed\n";
};

1;
