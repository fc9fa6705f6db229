// Package shardtest is the conformance suite of package cluster: what every
// implementation does when nothing goes wrong.
package shardtest
