package placement

import "ssod/cluster"

// What tests need to change the registry by hand.

// DecodeNode reads a node of the registry.
func DecodeNode(key string, value []byte) (Node, error) { return decodeNode(key, value) }

// Encode is the node as it is in the registry.
func (n Node) Encode() []byte { return n.encode() }

// SetMaxFound changes the bound of what is found until the test ends.
func SetMaxFound(cleanup func(func()), n int) {
	before := maxFound
	maxFound = n
	cleanup(func() { maxFound = before })
}

// EncodeSlots is a division of the hash slots as the table has it.
func EncodeSlots(s *cluster.Slots) map[string][]byte { return encodeSlots(s) }
