use strict;
use warnings;

sub {
    my $body = qq({"hello":"world","pid":$$});
    return [ 200, [ 'Content-Type' => 'application/json', 'Content-Length' => length $body ], [$body] ];
};
