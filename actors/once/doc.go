// Package once is the entity behind an id that counts once in the cluster, such as that
// of an assertion or of a logout token of a TV provider: whoever claims it first has it,
// and everybody after that is told that it is taken, on whichever node.
//
// An id is known by its digest, and taken until what bears it has expired anyway. The
// sweep forgets it then.
//
// Other packages use [Client].
package once
