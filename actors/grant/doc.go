// Package grant is the entity that has the tokens of a login at its TV provider, which a
// provider gives for asking later what it says of the viewer (refresh tokens). There is one
// for each login, whose copies only say that there is one.
//
// A provider may rotate such tokens: each use makes new ones, and a second use of old ones
// counts as theft and ends them all. So the tokens are lent to one user at a time:
//
//	device --Keep--> grant                  a login is made
//	Take ----------> the tokens, on a lease; others wait
//	Put -----------> the new ones, and what the provider said: grant --Tell--> device
//	Release -------> they were not used: the old ones stay
//	Lose ----------> they are worth nothing: grant --End--> device
//	device --Drop--> grant                  the login has ended
//
// A user that does not come back within [Lease] may or may not have used the tokens. Then
// they are not tried again: the login ends as if the provider had voided it, and the viewer
// logs in again. That is the price of a crash at the wrong moment: one login, and never a
// loop.
//
// Tokens are sealed by the front end, with a key that the entity does not have. A restored
// cluster has no grants: the tokens in a backup may have been used since.
//
// Other packages use [Client].
package grant
