// Command ssobench measures a node of the service from outside: it speaks only
// the public API and the admin API, over real sockets, to a real process.
//
//	ssobench run          drive bin/ssod and print rates next to the floor's
//	ssobench entitlement  profiles and decisions next to list and bare signatures
//	ssobench cluster      what three nodes cost compared with one; with --against also
//	                      with an older build
//	ssobench marks        whether a cluster pays, compared with an older build
//	ssobench cold         the cost of profiles on disk, and right after a start
//	ssobench crowd        link and redeem in one realm by very many
//	ssobench floor        serve the floor, the yardstick of package floor
//	ssobench start        time from the start of a process to ready
//	ssobench memory       memory per active profile
//
// A run starts two processes, the service on an empty directory and the floor,
// and drives them in turn in short slices, so that a machine that slows down
// meanwhile slows both. Each operation is a closed loop: 64 connections, each
// with one request on it. The generator (package loadgen) is one event loop; the
// CPU time of the server is read from /proc at the edges of each slice, so its
// own cost is known apart from that of the generator.
//
// The operations feed each other: mint makes the members, link their codes,
// redeem spends the codes for new devices, unlink removes those. At the end
// refresh runs as an open loop at half of the rate it has shown, where response
// times count from the intended start.
//
// The calls of the entitlement API have viewers who are logged in at the sandbox, each
// through a browser's requests. Authorize is compared with a bare signature like a media
// token's, on all CPUs; and at its peak rate a few lists show how other calls are affected.
//
// A comparison with an older build ([DuelReport]) runs both side by side and measures
// them in turn, as package paired says: one node and three of either, each operation,
// and what a hop costs on clusters of two nodes, of which one owns everything. The
// older program gets the flags that it knows.
//
// Profiles on disk are written by a program of the build itself, bypassing the API, and
// each is requested once: at the peak rate for its cost, and at a rate that all builds can
// serve for its latency.
//
// The report is a table, and with --json a file in the form of [Report].
package main
