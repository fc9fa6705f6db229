// Package trial is temporary access: who may watch for a while without a login, and what
// is left of it; httpfront/docs/entitlement.md#temporary-access.
//
// It takes four kinds of entities, all below a realm and an MVPD of kind temppass:
//
//	trial         by a random id: when it began, and which resources it used
//	trialkey      by device, or by the digest of an identity: which trial is theirs
//	trialaddress  by network: which trials began from it in the last 24 hours
//	trialepoch    how often all trials of the MVPD were reset
//
// A device and an identity that come together share a trial: what is new gets the trial
// of what is known. So a trial is neither the device's nor the identity's, and each of
// them can be reset without the other.
//
// # One start
//
// A key gets the first trial that is claimed for it, and only that. Requests that run
// concurrently may claim different ones for a device and for its identity. Then one of the
// two counts: the one that has begun; if none has, the one with the smaller id; if both
// have, the one that began first. One that has not begun yields for ever to the one that
// counts. It never begins, so whoever finds it later comes to the other.
//
// A trial begins at its first authorization, in the commit that permits it.
//
// # How long it is kept
//
// What has ended is remembered for memberRetention (400 days by default), so that the
// device does not get a second trial meanwhile. A service that remembered for ever would
// grow for ever, and a device that was not seen for so long is forgotten elsewhere, too. A
// key is remembered longer than the trial that was begun with it.
//
// Other packages use [Client].
package trial
