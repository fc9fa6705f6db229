package sealing

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
)

// Member is a node of the cluster, by its id, which no other node ever has.
type Member struct {
	ID   uint64
	Name string
	// Removed says that the node was removed: what it knows is no longer secret.
	Removed bool
}

// Options are what a node sees a table with.
type Options struct {
	// Key is the private key of this node: [KeySize] random bytes in a file next to its
	// store.
	Key []byte
	// Cluster is the id of the cluster, Self this node.
	Cluster string
	Self    Member
	// Members are all nodes that the cluster has or had. nil: this one is alone.
	Members func() []Member
	// Secret are the keys that prove membership: the first one proves, all are accepted.
	// nil: none, and no other node is accepted.
	Secret func() [][]byte
}

func (o *Options) members() []Member {
	if o.Members == nil {
		return []Member{o.Self}
	}
	return o.Members()
}

// enrolment is this node's public key with its proof.
func (o *Options) enrolment(p *Private) *MemberRecord {
	e := &MemberRecord{PublicKey: p.public}
	if keys := o.secret(); len(keys) > 0 {
		e.Proof = o.prove(keys[0], o.Self, p.public)
	}
	return e
}

func (o *Options) secret() [][]byte {
	if o.Secret == nil {
		return nil
	}
	return o.Secret()
}

// prove shows that whoever has the key takes public for the one of a node.
func (o *Options) prove(key []byte, m Member, public []byte) []byte {
	text := AppendText([]byte("ssod member, version 1"), o.Cluster)
	text = binary.BigEndian.AppendUint64(text, m.ID)
	text = AppendText(AppendText(text, m.Name), string(public))
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil)
}

// proven reports whether a public key is the one of a node.
func (o *Options) proven(m Member, e *MemberRecord) bool {
	for _, key := range o.secret() {
		if hmac.Equal(o.prove(key, m, e.GetPublicKey()), e.GetProof()) {
			return true
		}
	}
	return false
}
