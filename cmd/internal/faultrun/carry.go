package faultrun

import (
	"bytes"
	"math/rand/v2"
	"net"
	"time"
)

// parcel is what was read of a connection at a time, err its end.
type parcel struct {
	bytes []byte
	due   time.Time
	err   error
}

// onTheWay is how many parcels a direction of a connection holds.
const onTheWay = 1024

// carry copies one direction of a connection, and its end.
func (n *Network) carry(from, to net.Conn, d direction, of service) {
	parcels := make(chan parcel, onTheWay)
	n.tasks.Go(func() { n.collect(from, of, parcels) })
	for p := range parcels {
		if early := time.Until(p.due); early > 0 {
			<-time.After(early)
		}
		n.await(d.from, d.to)
		if len(p.bytes) > 0 {
			_, _ = to.Write(p.bytes)
		}
		if p.err != nil {
			n.finish(from, to, p.err)
		}
	}
}

// collect reads a connection to its end and says when each parcel is due.
func (n *Network) collect(from net.Conn, of service, parcels chan<- parcel) {
	defer close(parcels)
	buffer := make([]byte, 32<<10)
	for last := time.Now(); ; {
		size, err := from.Read(buffer)
		if due := time.Now().Add(n.delay(of)); due.After(last) {
			last = due // a stream keeps its order
		}
		parcels <- parcel{bytes.Clone(buffer[:size]), last, err}
		if err != nil {
			return
		}
	}
}

// finish ends both sides of a connection as one of them ended.
func (n *Network) finish(from, to net.Conn, err error) {
	if !ordinary(err) {
		n.reset(to)
	}
	n.drop(from, to)
}

// Late makes what actors say come up to so much later, each time anew; 0: at
// once. They ask again meanwhile, so that commands come twice and out of order.
func (n *Network) Late(upTo time.Duration) { n.change(func() { n.late = upTo }) }

func (n *Network) delay(of service) time.Duration {
	n.mu.Lock()
	defer n.mu.Unlock()
	if of != actor || n.late == 0 || n.closed {
		return 0
	}
	return rand.N(n.late)
}
