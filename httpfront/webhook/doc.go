// Package webhook tells receivers outside of the cluster what happens in it:
// httpfront/docs/events.md#receive.
//
// An [Outbox] makes events of the facts that decisions state, for the receivers that are
// configured (config.Webhook), each with what that receiver may know. The events are part of
// the commits that they tell of and wait in their shards (persistence/DESIGN.md#events).
//
// A [Dispatcher] delivers what waits in the shards that this node leads: in order for each
// entity, at least once, signed as Standard Webhooks has it. It commits what was delivered
// once a second for each shard, so after a crash the next leader sends the last second again,
// with the same ids.
//
// [Sums] tell of what happens too often to be told one by one, once a minute.
//
//	outbox.go, body.go      facts become events
//	sums.go                 denied decisions and attacks on link codes
//	dispatcher.go           the pace: looks at the shards that are led
//	lane.go, stream.go      what waits in a shard, for a receiver
//	receiver.go             who gets how much at once, and who is left alone for a while
//	post.go, sign.go        one delivery
//	reason.go               what is said of one that failed
//	guard.go                which addresses are dialed
//	dead.go                 dead letters are forgotten in time
//	local.go, everywhere.go, position.go
//	                       what operators see of events, and dead letters that are sent again
//	trouble.go              receivers that fail, for operators
package webhook
