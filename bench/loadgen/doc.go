// Package loadgen drives an HTTP/1.1 server as cheaply as a client can.
//
// A [Loop] holds keep-alive connections and serves all of them from one
// goroutine with epoll: per request one write and one read, no parked
// goroutines, no allocation. On a machine whose cores the generator shares
// with the server this matters: what the client burns is missing in the rate.
//
// [Loop.Closed] sends the next request of a connection as soon as the last one
// is answered, which finds the peak rate. [Loop.Open] sends at the times of an
// arrival schedule, whatever the server does, and counts the response time from
// the intended start, so that a server that stalls cannot hide the requests
// that would have come meanwhile.
//
// A [Source] makes the requests and judges the answers. Everything runs on the
// caller's goroutine; nothing here is safe for concurrent use.
package loadgen
