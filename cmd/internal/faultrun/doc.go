// Package faultrun kills, pauses, wipes and cuts off the nodes of a cluster of
// three real processes under load, and judges every answer that clients get.
//
//	cluster.go, node.go   three processes, and what can be done to them
//	app.go, route.go      an app: the client of the API, where its calls go and how they end
//	load.go, viewer.go    viewers arrive at a steady rate; each knows what its answers must be
//	ledger.go             what was acknowledged, asked for again afterwards
//	owners.go             who led which shard in which term
//	contest.go            devices that contend for the same profiles, for package history
//	failover.go           how long a shard took no writes
//	latency.go            how calls were answered in some span of time
//	silence.go            how a node without a majority answers
//	witness.go            profiles that change while their owner is paused or cut off
//	network.go            carries what nodes say to each other, until it is cut, or late
//	clock.go              sets the clocks of nodes, and waits for link codes to expire
//	gate.go               holds a process's syncs in the kernel: a disk that is slow or hangs
//	namespace.go          the same with the network of the kernel, in long runs
//	tale.go               what was acknowledged before operators hurry
//	verdict.go            what must not happen, counted
//
// A run begins a [Load], does something to the cluster, waits until it is whole
// again, ends the load and audits the ledger. It prints one line:
//
//	double_owner_served=0 lost_acks=0 resurrected_devices=0 double_redeem=0 cross_tenant=0 secret_leaks=0
//
// [Fault] says what each counter stands for. Counters are always judged; times
// are printed, and judged only when SSOD_LONG is set, because tests share their
// machine with others. SSOD_FAULT_RATE is the load in calls per second (500, and
// 2,000 in long runs), SSOD_FAULT_ROUNDS how often each fault is repeated.
package faultrun
