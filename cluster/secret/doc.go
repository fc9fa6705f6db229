// Package secret keeps the secret of a cluster, which tells its nodes from
// strangers.
//
// It is a file of one key or several ([Parse]): the first one encrypts and proves,
// all of them decrypt and are accepted. To change it without a gap: add the new
// key behind the old one on every node, then put it first on every node, then
// remove the old one. A [Ring] has the keys that are in force now.
//
// No key is used for two things. [Ring.For] derives those of a use from the secret (HKDF,
// RFC 5869), so a leaked key of one port is of no use at another.
package secret
