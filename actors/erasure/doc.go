// Package erasure removes everything that is stored of a viewer, or of a device,
// from the entities that have it and then from every file of every node.
//
// What is stored of a viewer stands in these kinds of entities:
//
//	profile   its members, link codes with who waits for them, and shared logins
//	device    the logins that were made on a member device, and what lately ended
//	session   logins in progress on a member device, and lately over
//	trial     what a member device watched without a login, and which identities lead
//	          there (package trial)
//	upstream  which logins of the devices came from which subject (package upstream)
//	grant     the tokens of those logins at the MVPD (package grant)
//
// Events that wait for receivers, and dead letters, go with the entities that they tell of.
// What no device leads to ends by itself:
//
//	answer    what an MVPD posted at a login, for five minutes, under a drawn secret
//	farewell  what an MVPD is told at a logout, for half an hour, under a random id
//	          (package logout)
//	upstream  ids of logins that ended before, under a digest of the subject, for a day
//	trialaddress  ids of trials, under a keyed digest of the network, for a day
//	once      digests of ids of an MVPD's messages, until those have expired
//
// [Eraser.Erase] goes through the devices first and the profile last, so that a call that
// was interrupted finds the rest when it is repeated. An entity with open intents
// (package intent) is forgotten when they are carried out.
//
// The shards of a failed call are scrubbed with those of the next one, as long as the
// process lives.
//
// Then the files: an entity that was deleted is still in the replication log, in
// tables and in write-ahead logs of every replica, until all of them are rewritten
// ([ssod/cluster/placement.Scrubber]).
package erasure
