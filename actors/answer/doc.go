// Package answer is the entity behind a login's answer that a TV provider had posted: it
// was judged without knowing the browser, and waits here until that comes back with its
// cookie (package httpfront/mvpd, Receiver).
//
// An answer is named by a drawn secret, which only the browser that posted it is told. The
// first browser that asks with the right state gets the values, also when it asks again
// because a node died meanwhile; no other one does. After [TTL] nobody does, and the
// sweep forgets the answer.
//
// Other packages use [Client].
package answer
