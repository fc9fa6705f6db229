// Package benchrun has no code: its tests run the load generator's comparisons on
// real nodes, for a moment each. It is apart from package e2e, whose tests take
// minutes.
package benchrun
