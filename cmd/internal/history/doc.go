// Package history judges what clients were answered: whether there is an order
// in which each call took effect at one instant, between its beginning and its
// end, and each answer was right (porcupine).
//
//	codes.go     a link code admits one device
//	members.go   the devices of a profile: join, refresh, list, unlink
//
// A call without an answer may have taken effect, may yet, or never will: it has
// no end.
package history
