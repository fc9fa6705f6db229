// Package degradation keeps the rules of degradation that operators set at run time, for an
// incident, with an end; httpfront/docs/entitlement.md#degradation. They beat those of the
// configuration file, and hold on every node of the cluster.
//
// All of them are in one meta table, so a node has them in memory and a request takes a
// [View] without a lock, one for all that it decides:
//
//	r SERVICE_PROVIDER MVPD   a rule; ids have no blanks
//	n TIME SET ID             a notice that a rule was set or has ended
//
// A rule counts on every node until its end, by the time of the cluster ([Options.Time]),
// whether the meta shard has a leader by then or not. The leader then deletes it.
//
// A notice is written by the commit that sets or ends its rule, so there is exactly one.
// The leader of the meta shard passes it to the log and to [Options.Tell], and then deletes
// it: at least once, with the same id.
//
// Rules are not in what a restored cluster takes over from a backup: the incident is over.
package degradation
