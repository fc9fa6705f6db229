package placement

// What tests need to change the registry by hand.

// DecodeNode reads a node of the registry.
func DecodeNode(key string, value []byte) (Node, error) { return decodeNode(key, value) }

// Encode is the node as it is in the registry.
func (n Node) Encode() []byte { return n.encode() }
