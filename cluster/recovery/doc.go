// Package recovery restores a cluster when a majority of its nodes is lost for good.
// Everything is done on stopped nodes.
//
// [Inspect] reports what a survivor has. [Decide] makes one plan of all reports, and says
// what may be missing. [Apply] carries out the plan on the directory of one survivor. The
// survivor with the most complete log of a shard becomes its only voter, under a new replica
// id and in a new term, with its log as it is: everything that was committed and is on any
// survivor is in it (the log of a later leader has everything that was committed before,
// raft thesis 3.6.1, and the logs of one term are prefixes of each other). The other
// survivors become learners, keep their data and vote again when the cluster runs. Nodes
// that are not in the plan are removed.
//
// The cluster's id gets a new incarnation, which is in the first frame of every connection
// and in gossip: nodes that were absent, and halves that were recovered separately, refuse
// each other.
//
// A crash during Apply leaves a directory that is as it was, or one that does not start
// until the same plan is applied again.
package recovery
