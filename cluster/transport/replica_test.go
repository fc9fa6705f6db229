package transport_test

import (
	"ssod/cluster/replica"
	"ssod/cluster/transport"
)

var (
	_ replica.Transport = (*transport.Network)(nil)
	_ transport.Engine  = (*replica.Engine)(nil)
)
