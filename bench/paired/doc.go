// Package paired compares the cost of two builds on a machine that is not quiet.
//
// Both are measured in short slices in turn, A B B A, so that a drift affects both. Two
// consecutive slices make a pair; its ratio is that of the costs. Several sides can be
// measured in such rounds, and any two of them compared. A round in which other processes
// had much of the machine is dropped.
// The result is the median of the ratios with an interval that holds the true
// median with a confidence of at least 90 %, whatever the ratios' distribution: it
// is read from their order ([Compare]).
package paired
