// Package recovery makes a cluster again from what is left when a majority of its
// nodes is lost for good. Everything is done on stopped nodes.
//
// [Inspect] says what a survivor has. [Decide] makes one plan of all reports, and
// says what may be missing. [Apply] carries the plan out on the directory of one
// survivor. Of each shard the survivor with the most complete log becomes the only
// voter, under a new replica id and in a term that nobody has seen, with its log as
// it is: what was committed and is on any survivor is in it (the log of a later
// leader has all that was committed before, raft thesis 3.6.1, and the logs of one
// term are beginnings of each other). The other survivors listen, keep what they have
// and vote again when the cluster runs. The nodes that are not in the plan are removed.
//
// With the plan the cluster's id gets a new incarnation, which is in the first frame of
// every connection and in gossip: nodes that were absent, and halves that were recovered
// apart, refuse each other.
//
// A crash during Apply leaves a directory that is as it was, or one that does not start
// until the same plan is applied again.
package recovery
