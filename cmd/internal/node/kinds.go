//go:build !nextlevel

package node

import "ssod/actors"

// levelKinds are the kinds of entity that only levels above the first have.
func (n *Node) levelKinds() []actors.Kind { return nil }

// useLevel begins what only levels above the first have.
func (n *Node) useLevel() {}
