//go:build !nextlevel

package node

import "ssod/actors"

// nextKinds are the kinds of entity of the level after this version's.
func nextKinds() []actors.Kind { return nil }

// useLevel begins what only the level after this version's has.
func (n *Node) useLevel() {}
